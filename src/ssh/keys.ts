import { generateKeyPairSync, randomBytes } from 'node:crypto'
import keyParser, { type ParsedKey } from 'ssh2/lib/protocol/keyParser.js'
import { SshjobError } from '../core/errors.js'
import { Reader, string, uint32 } from './wire.js'

const ED25519 = 'ssh-ed25519'

export type { ParsedKey }

/** A key pair as OpenSSH writes it: the private key as a file's text, the public one as a line without comment. */
export interface KeyPair {
  privateKey: string
  publicKey: string
}

/**
 * A fresh ed25519 key pair (RFC 8709). Not by ssh2's keygen: it takes leading zero bytes off the public key, so that
 * one pair in 256 is none.
 */
export function generateKey(): KeyPair {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  if (d === undefined || x === undefined) throw new SshjobError('internal', 'No key could be generated.')
  const seed = Buffer.from(d, 'base64url')
  const point = Buffer.from(x, 'base64url')
  const blob = Buffer.concat([string(ED25519), string(point)])
  return {
    privateKey: encodePrivateKey(blob, seed, point),
    publicKey: `${ED25519} ${blob.toString('base64')}`,
  }
}

/** OpenSSH's PROTOCOL.key, without a passphrase: the key lives as long as the session, and in memory alone. */
function encodePrivateKey(blob: Buffer, seed: Buffer, point: Buffer): string {
  const check = randomBytes(4)
  const secret = Buffer.concat([
    check,
    check,
    string(ED25519),
    string(point),
    string(Buffer.concat([seed, point])),
    string('sshjob'),
  ])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, -secret.length & 7)
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    uint32(1),
    string(blob),
    string(Buffer.concat([secret, padding])),
  ])
  const lines = file.toString('base64').match(/.{1,70}/g) ?? []
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
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

/** The kind of key that this is the public half of (RFC 4253 §6.6), or undefined where it is none. */
export function typeOfBlob(blob: Buffer): string | undefined {
  try {
    return new Reader(blob).text()
  } catch {
    // Shorter than it says itself: whoever sent it has no key.
    return undefined
  }
}

/** A public key as it is on the wire; undefined for one that ssh2 does not know. */
export function parseBlob(blob: Buffer): ParsedKey | undefined {
  // As text: a Buffer, ssh2 would first try as the text of a private key.
  const parsed = keyParser.parseKey(`${typeOfBlob(blob)} ${blob.toString('base64')}`)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  return key === undefined || key instanceof Error || !key.getPublicSSH().equals(blob) ? undefined : key
}

/** 'ssh-ed25519 AAAA…': the public half of a key, without comment. */
export function publicLine(key: ParsedKey): string {
  return `${key.type} ${key.getPublicSSH().toString('base64')}`
}
