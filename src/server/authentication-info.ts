import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OfferedKey } from '../ssh/authentication.js'
import { typeOfBlob } from '../ssh/keys.js'

/**
 * Writes down how the client has authenticated, in a file of this user's alone, as sshd does for SSH_USER_AUTH: the
 * method, and the public key as a file of keys would have it.
 */
export function writeAuthenticationInfo({ blob }: OfferedKey): { file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'sshjob-'))
  const file = join(folder, 'auth')
  writeFileSync(file, `publickey ${typeOfBlob(blob)} ${blob.toString('base64')}\n`, {
    mode: 0o600,
    flag: 'wx',
  })
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
