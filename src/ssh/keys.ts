import { createPrivateKey, type ED25519KeyPairOptions, generateKeyPairSync, randomBytes } from 'node:crypto'
import { SshjobError } from '../core/errors.js'
import type { ParsedKey } from './parsed-key.js'
import { readKey } from './ssh2/key-parser.js'
import { Reader, string, uint32 } from './wire.js'

const ED25519 = 'ssh-ed25519'
const RSA = 'ssh-rsa'
const ECDSA = 'ecdsa-sha2-nistp256'
/** The curve as SSH names it, RFC 5656 §10.1, and the length of a point on it, uncompressed. */
const CURVE = 'nistp256'
const POINT_BYTES = 65

/** What an RSA key hashes with, by the name of the signature: RFC 8332 §3. */
export const RSA_HASHES: ReadonlyMap<string, string> = new Map([
  ['rsa-sha2-256', 'sha256'],
  ['rsa-sha2-512', 'sha512'],
])

export type { ParsedKey }

/** A key pair as files have it: the private key as a file's text, the public one as a line. */
export interface KeyPair {
  privateKey: string
  publicKey: string
}

/**
 * Node.js can wait for itself, for ever, where a key that it has generated is exported as a JSON web key: it holds the
 * key's lock, allocates, and the garbage collector frees what has generated the key, for which it wants that lock
 * (seen in version 20, once in some 15,000 keys). So keys leave their generation as bytes.
 */
const DER: ED25519KeyPairOptions<'der', 'der'> = {
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  publicKeyEncoding: { format: 'der', type: 'spki' },
}

/**
 * A fresh ed25519 key pair (RFC 8709). Not by ssh2's keygen: it takes leading zero bytes off the public key, so that
 * one pair in 256 is none.
 */
export function generateKey(comment = ''): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', DER)
  // Both end with their 32 bytes: RFC 8410 §4 and §7.
  const [seed, point] = [privateKey.subarray(-32), publicKey.subarray(-32)]
  return encodePair([string(ED25519), string(point)], [string(point), string(Buffer.concat([seed, point]))], {
    type: ED25519,
    comment,
  })
}

/**
 * A fresh key pair for who may not use ed25519 (FIPS 140), or does not know it. The private key is written as SEC 1 has
 * it, which OpenSSH reads and older libraries too: JSch 0.1 and net-ssh know nothing of OpenSSH's own format.
 */
export function generateEcdsaKey(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    privateKeyEncoding: { format: 'der', type: 'sec1' },
    publicKeyEncoding: { format: 'der', type: 'spki' },
  })
  // The point is the end of both: RFC 5480 §2, RFC 5915 §3.
  const blob = Buffer.concat([string(ECDSA), string(CURVE), string(publicKey.subarray(-POINT_BYTES))])
  return {
    privateKey: encodePem('EC PRIVATE KEY', privateKey, 64),
    publicKey: `${ECDSA} ${blob.toString('base64')}`,
  }
}

/** A fresh RSA key pair, RFC 4253 §6.6. */
export function generateRsaKey(bits: number, comment = ''): KeyPair {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits, ...DER })
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  const { n, e, d, p, q, qi } = key.export({ format: 'jwk' })
  const [modulus, exponent] = [mpint(part(n)), mpint(part(e))]
  const secret = [modulus, exponent, mpint(part(d)), mpint(part(qi)), mpint(part(p)), mpint(part(q))]
  return encodePair([string(RSA), exponent, modulus], secret, { type: RSA, comment })
}

/** One number of a JSON web key, RFC 7518 §6. */
function part(text: string | undefined): Buffer {
  if (text === undefined) throw new SshjobError('internal', 'No key could be generated.')
  return Buffer.from(text, 'base64url')
}

/** The `mpint` of RFC 4251 §5, for a number that is not negative. */
function mpint(bytes: Buffer): Buffer {
  const start = Math.max(
    0,
    bytes.findIndex((byte) => byte !== 0),
  )
  const significant = bytes.subarray(start)
  const signed = (significant[0] ?? 0) >= 0x80
  return string(signed ? Buffer.concat([Buffer.alloc(1), significant]) : significant)
}

/** OpenSSH's PROTOCOL.key, without a passphrase. */
function encodePair(
  publicParts: readonly Buffer[],
  secretParts: readonly Buffer[],
  { type, comment }: { type: string; comment: string },
): KeyPair {
  const blob = Buffer.concat(publicParts)
  const check = randomBytes(4)
  const secret = Buffer.concat([check, check, string(type), ...secretParts, string(comment)])
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
  return {
    privateKey: encodePem('OPENSSH PRIVATE KEY', file, 70),
    publicKey: `${type} ${blob.toString('base64')} ${comment}`.trimEnd(),
  }
}

function encodePem(label: string, data: Buffer, width: number): string {
  const lines = data.toString('base64').match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** The size of a public key in bits, as ssh-keygen -l has it: of an RSA key, that of its modulus. */
export function bitsOfKey(blob: Buffer): number {
  const reader = new Reader(blob)
  const type = reader.text()
  if (type !== RSA) return Number(/nistp(\d+)$/.exec(type)?.[1] ?? 256)
  reader.string() // the exponent
  const modulus = reader.string()
  const first = modulus.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (modulus.length - first) * 8 - (Math.clz32(modulus[first] ?? 0) - 24)
}

/** Whether this is an RSA key with fewer bits than these. */
export function isShortRsa(blob: Buffer, bits: number): boolean {
  return typeOfBlob(blob) === RSA && bitsOfKey(blob) < bits
}

/** @throws SshjobError 'usage' if the text is no key, or more than one. */
export function parseKey(text: string): ParsedKey {
  const key = readKey(text)
  if (key === undefined || key instanceof Error) {
    throw new SshjobError('usage', 'This is not a key in a format of OpenSSH.', { cause: key })
  }
  return key
}

/** As parseKey(); undefined for what is no key, or of a kind that is not known here. */
export function parseIfKnown(text: string): ParsedKey | undefined {
  try {
    return parseKey(text)
  } catch {
    return undefined
  }
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
  const key = readKey(`${typeOfBlob(blob)} ${blob.toString('base64')}`)
  return key === undefined || key instanceof Error || !key.getPublicSSH().equals(blob) ? undefined : key
}

/** 'ssh-ed25519 AAAA…': the public half of a key, without comment. */
export function publicLine(key: ParsedKey): string {
  return `${key.type} ${key.getPublicSSH().toString('base64')}`
}
