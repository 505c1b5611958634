import keygen from 'ssh2/lib/keygen.js'
import keyParser, { type ParsedKey } from 'ssh2/lib/protocol/keyParser.js'
import { SshjobError } from '../core/errors.js'

export type { ParsedKey }

/** A key pair as OpenSSH writes it: the private key as a file's text, the public one as a line without comment. */
export interface KeyPair {
  privateKey: string
  publicKey: string
}

/** A fresh ed25519 key pair (RFC 8709). */
export function generateKey(): KeyPair {
  const pair = keygen.generateKeyPairSync('ed25519', { comment: 'sshjob' })
  return { privateKey: pair.private, publicKey: publicLine(parseKey(pair.public)) }
}

/** @throws SshjobError 'usage' if the text is no key, or more than one. */
export function parseKey(text: string): ParsedKey {
  const parsed = keyParser.parseKey(text)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key === undefined || key instanceof Error) {
    throw new SshjobError('usage', 'This is not a key in a format of OpenSSH.', { cause: key })
  }
  return key
}

/** 'ssh-ed25519 AAAA…': the public half of a key, without comment. */
export function publicLine(key: ParsedKey): string {
  return `${key.type} ${key.getPublicSSH().toString('base64')}`
}
