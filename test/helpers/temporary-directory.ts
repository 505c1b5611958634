import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

/** A folder for one test file, 0700, gone after its last test. Call it at the top of a `describe`. */
export function temporaryDirectory(): () => string {
  let directory = ''
  beforeAll(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'sshjob-test-'))
  })
  afterAll(() => fs.rm(directory, { recursive: true, force: true }))
  return () => directory
}
