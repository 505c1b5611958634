import keyParser from 'ssh2/lib/protocol/keyParser.js'
import utils from 'ssh2/lib/protocol/utils.js'
import type { ParsedKey } from '../parsed-key.js'

/** The first key of a text in a format of OpenSSH, of PEM or of PuTTY; an Error, or nothing, where it has none. */
export function readKey(text: string): ParsedKey | Error | undefined {
  const parsed = keyParser.parseKey(text)
  return Array.isArray(parsed) ? parsed[0] : parsed
}

/** What OpenSSL has signed with a key of this type, as SSH has it (RFC 5656 §3.1.2); undefined for what is none. */
export function signatureToSsh(signature: Buffer, keyType: string): Buffer | undefined {
  return utils.convertSignature(signature, keyType) || undefined
}

/** The other way round: as OpenSSL verifies it. */
export function signatureFromSsh(signature: Buffer, keyType: string): Buffer | undefined {
  return utils.sigSSHToASN1(signature, keyType)
}
