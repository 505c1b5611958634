import { messageOf } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { JobInside } from '../job/inside.js'
import type { OfferedKey } from '../ssh/authentication.js'
import { typeOfBlob } from '../ssh/keys.js'

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
  inside: JobInside,
  log: Logger,
): Promise<AuthenticationInfo | undefined> {
  const complain = (error: unknown): undefined => {
    log.warn({ reason: messageOf(error) }, 'the file for SSH_USER_AUTH could not be written or removed')
  }
  const directory = await inside.temporary('auth').catch(complain)
  if (directory === undefined) return undefined
  const remove = (): Promise<void> => directory.remove().catch(complain)
  try {
    const line = `publickey ${typeOfBlob(blob)} ${blob.toString('base64')}\n`
    return { file: await directory.write('auth', line), remove }
  } catch (error) {
    complain(error)
    await remove()
    return undefined
  }
}
