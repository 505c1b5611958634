import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockingCalls } from '../core/blocking-calls.js'
import { messageOf } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { OfferedKey } from '../ssh/authentication.js'
import { typeOfBlob } from '../ssh/keys.js'

/**
 * Writes down how the client has authenticated, in a file of this user's alone, as sshd does for SSH_USER_AUTH: the
 * method, and the public key as a file of keys would have it. As with sshd, undefined and a word in the log where that
 * can't be done: it keeps nobody out. Neither this nor `remove` rejects.
 */
export async function writeAuthenticationInfo(
  { blob }: OfferedKey,
  calls: BlockingCalls,
  log: Logger,
): Promise<{ file: string; remove(): Promise<void> } | undefined> {
  const complain = (error: unknown): void =>
    log.warn({ reason: messageOf(error) }, 'the file for SSH_USER_AUTH could not be written or removed')
  const remove = (folder: string): Promise<void> =>
    calls.file(folder, () => rm(folder, { recursive: true, force: true }), { certain: true }).catch(complain)
  try {
    const above = tmpdir()
    const undo = (late: string): void => void remove(late)
    const folder = await calls.file(above, () => mkdtemp(join(above, 'sshjob-')), { undo })
    const file = join(folder, 'auth')
    const line = `publickey ${typeOfBlob(blob)} ${blob.toString('base64')}\n`
    try {
      await calls.file(file, () => writeFile(file, line, { mode: 0o600, flag: 'wx' }))
      return { file, remove: () => remove(folder) }
    } catch (error) {
      await remove(folder)
      throw error
    }
  } catch (error) {
    complain(error)
    return undefined
  }
}
