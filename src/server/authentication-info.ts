import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlockingCalls } from '../core/blocking-calls.js'
import { messageOf } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { OfferedKey } from '../ssh/authentication.js'
import { typeOfBlob } from '../ssh/keys.js'
import { makePrivateFolder } from './forwarding/private-folder.js'

export interface AuthenticationInfo {
  readonly file: string
  /** Never rejects. */
  remove(): Promise<void>
}

/**
 * Writes down how the client has authenticated, in a file of this user's alone, as sshd does for SSH_USER_AUTH: the
 * method, and the public key as a file of keys would have it. As with sshd, undefined and a word in the log where that
 * can't be done: it keeps nobody out. Neither this nor `remove` rejects.
 */
export async function writeAuthenticationInfo(
  { blob }: OfferedKey,
  calls: BlockingCalls,
  log: Logger,
): Promise<AuthenticationInfo | undefined> {
  const complain = (error: unknown): undefined => {
    log.warn({ reason: messageOf(error) }, 'the file for SSH_USER_AUTH could not be written or removed')
  }
  const folder = await makePrivateFolder(calls, 'auth').catch(complain)
  if (folder === undefined) return undefined
  const remove = (): Promise<void> => folder.remove().catch(complain)
  const file = join(folder.path, 'auth')
  try {
    const line = `publickey ${typeOfBlob(blob)} ${blob.toString('base64')}\n`
    await calls.file(file, () => writeFile(file, line, { mode: 0o600, flag: 'wx' }))
    return { file, remove }
  } catch (error) {
    complain(error)
    await remove()
    return undefined
  }
}
