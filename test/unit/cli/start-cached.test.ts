import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { cacheFile, WRITE_CACHE } from '../../../src/cli/code-cache.js'
import { START_CACHED } from '../../helpers/programs.js'

describe('a program that is started from what V8 has kept of it', () => {
  let folder: string
  let program: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sshjob-test-'))
    program = path.join(folder, 'program.cjs')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (statement: string): void => writeFileSync(program, `#!/usr/bin/env node\n${statement}\n`)
  const run = (...options: string[]): string =>
    spawnSync(process.execPath, [START_CACHED, ...options, program, 'a b', 'c'], { encoding: 'utf8' }).stdout

  it('is not compiled again', () => {
    write('console.log("one")')
    expect(run(WRITE_CACHE)).toBe('one\n')
    // V8 knows a program by its length.
    write('console.log("two")')
    expect(run()).toBe('one\n')
  })

  it('is compiled where what was kept is of another program, and where nothing was', () => {
    write('console.log("one")')
    expect(run()).toBe('one\n')
    expect(existsSync(cacheFile(program))).toBe(false)
    run(WRITE_CACHE)
    write('console.log("another")')
    expect(run()).toBe('another\n')
    writeFileSync(cacheFile(program), 'garbage')
    expect(run()).toBe('another\n')
  })

  it('finds its arguments, its name and modules as if it was started by itself', () => {
    write(
      'console.log(JSON.stringify([process.argv.slice(1), __filename, __dirname, typeof require("node:fs")]))',
    )
    const expected = JSON.stringify([[program, 'a b', 'c'], program, folder, 'object'])
    expect([run(WRITE_CACHE), run()]).toEqual([`${expected}\n`, `${expected}\n`])
  })

  it('ends with its own exit status', () => {
    write('process.exit(7)')
    for (const options of [[WRITE_CACHE], []]) {
      expect(spawnSync(process.execPath, [START_CACHED, ...options, program]).status).toBe(7)
    }
  })
})
