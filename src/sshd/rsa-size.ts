import { Reader } from '../ssh/wire.js'

/** The length of an RSA key's modulus in bits, from its encoding (RFC 4253 §6.6); undefined for other keys. */
export function bitsOfRsa(blob: Buffer): number | undefined {
  const reader = new Reader(blob)
  if (reader.text() !== 'ssh-rsa') return undefined
  reader.string() // the exponent
  const modulus = reader.string()
  const first = modulus.findIndex((byte) => byte !== 0)
  if (first < 0) return 0
  return (modulus.length - first - 1) * 8 + (32 - Math.clz32(modulus[first] ?? 0))
}
