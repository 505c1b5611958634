import { type ParsedKey, RSA_HASHES } from './keys.js'
import { signatureToSsh } from './ssh2/key-parser.js'
import { type Reader, string } from './wire.js'

const ANNOUNCE = 'hostkeys-00@openssh.com'
export const PROVE = 'hostkeys-prove-00@openssh.com'

/** The request that tells a client all host keys, so that it knows them all the next time: OpenSSH's PROTOCOL, §2.5. */
export function announceHostKeys(keys: readonly ParsedKey[]): { name: string; data: Buffer[] } {
  return { name: ANNOUNCE, data: keys.map((key) => string(key.getPublicSSH())) }
}

/**
 * The answer to a client that wants proof that we have the keys that it names; false where one is not ours.
 * @param algorithm what the key exchange was signed with: an RSA key proves itself in the same way
 */
export function proveHostKeys(
  asked: Reader,
  keys: readonly ParsedKey[],
  { sessionId, algorithm }: { sessionId: Buffer; algorithm: string },
): Buffer | false {
  const proofs: Buffer[] = []
  while (asked.remaining > 0) {
    const blob = asked.string()
    const key = keys.find((ours) => ours.getPublicSSH().equals(blob))
    const data = Buffer.concat([string(PROVE), string(sessionId), string(blob)])
    const proof = key && sign(key, data, algorithm)
    if (proof === undefined || proofs.length >= keys.length) return false
    proofs.push(string(proof))
  }
  return Buffer.concat(proofs)
}

/** A signature as RFC 4253 §6.6 encodes it. */
function sign(key: ParsedKey, data: Buffer, algorithm: string): Buffer | undefined {
  const name = key.type !== 'ssh-rsa' ? key.type : RSA_HASHES.has(algorithm) ? algorithm : 'rsa-sha2-512'
  const signature = key.sign(data, RSA_HASHES.get(name))
  if (signature instanceof Error) return undefined
  const converted = signatureToSsh(signature, key.type)
  return converted === undefined ? undefined : Buffer.concat([string(name), string(converted)])
}
