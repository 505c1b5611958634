import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { OfferedKey } from '../ssh/authentication.js'
import { typeOfBlob } from '../ssh/keys.js'

/**
 * Writes down how the client has authenticated, in a file of this user's alone, as sshd does for SSH_USER_AUTH: the
 * method, and the public key as a file of keys would have it. As with sshd, undefined and a word in the log where that
 * can't be done: it keeps nobody out.
 */
export function writeAuthenticationInfo(
  { blob }: OfferedKey,
  log: Logger,
): { file: string; remove(): void } | undefined {
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the file for SSH_USER_AUTH could not be written or removed')
      return undefined
    }
  }
  return attempt(() => {
    const folder = mkdtempSync(join(tmpdir(), 'sshjob-'))
    const file = join(folder, 'auth')
    const line = `publickey ${typeOfBlob(blob)} ${blob.toString('base64')}\n`
    const remove = (): void => attempt(() => rmSync(folder, { recursive: true, force: true }))
    try {
      writeFileSync(file, line, { mode: 0o600, flag: 'wx' })
      return { file, remove }
    } catch (error) {
      remove()
      throw error
    }
  })
}
