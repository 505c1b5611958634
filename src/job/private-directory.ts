import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockingCalls } from '../core/blocking-calls.js'
import { SOCKET_PATH_MAX_BYTES } from '../core/limits.js'
import { temporaryDirectory } from '../core/path-safety.js'
import { watchDirectory } from '../process/attendant.js'
import type { PrivateDirectory } from './inside.js'

/** What mkdtemp() adds, and the longest name of a file in such a directory. */
const ROOM = '/sshjob-XXXXXX/Xauthority'.length

/**
 * A directory of this user's alone (mode 0700: mkdtemp(3)), in which the name of a socket has room. If this process is
 * killed, the attendant removes it, with the files of these names.
 * @throws SshjobError 'unsafe-directory' where another user could put one of his own in its place
 */
export async function makePrivateDirectory(
  calls: BlockingCalls,
  ...names: readonly string[]
): Promise<PrivateDirectory> {
  const preferred = await safePlace(calls)
  const short = Buffer.byteLength(preferred) + ROOM <= SOCKET_PATH_MAX_BYTES
  const above = short ? preferred : await safePlace(calls, '/tmp')
  const remove = (directory: string): Promise<void> =>
    calls.file(directory, () => rm(directory, { recursive: true, force: true }), { certain: true })
  const undo = (late: string): void => void remove(late).catch(() => undefined)
  const path = await calls.file(above, () => mkdtemp(join(above, 'sshjob-')), { undo })
  const unwatch = watchDirectory(path, names)
  return {
    path,
    async write(name, data) {
      const file = join(path, name)
      await calls.file(file, () => writeFile(file, data, { mode: 0o600, flag: 'wx' }))
      return file
    },
    async remove() {
      await remove(path)
      unwatch()
    },
  }
}

function safePlace(calls: BlockingCalls, preferred = tmpdir()): Promise<string> {
  return calls.file(preferred, () => temporaryDirectory(preferred))
}
