import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockingCalls } from '../../core/blocking-calls.js'
import { SOCKET_PATH_MAX_BYTES } from '../../core/limits.js'

/** What mkdtemp() adds, and the longest name of a file in such a folder. */
const ROOM = '/sshjob-XXXXXX/Xauthority'.length

export interface PrivateFolder {
  readonly path: string
  /** Removes it, with all that is in it. */
  remove(): Promise<void>
}

/**
 * A folder of this user's alone (mode 0700: mkdtemp(3)), in which the name of a socket has room. What is left of it
 * when the process is killed is for whoever cleans the job's temporary files.
 */
export async function makePrivateFolder(calls: BlockingCalls): Promise<PrivateFolder> {
  const short = Buffer.byteLength(tmpdir()) + ROOM <= SOCKET_PATH_MAX_BYTES
  const above = short ? tmpdir() : '/tmp'
  const remove = (folder: string): Promise<void> =>
    calls.file(folder, () => rm(folder, { recursive: true, force: true }), { certain: true })
  const undo = (late: string): void => void remove(late).catch(() => undefined)
  const path = await calls.file(above, () => mkdtemp(join(above, 'sshjob-')), { undo })
  return { path, remove: () => remove(path) }
}
