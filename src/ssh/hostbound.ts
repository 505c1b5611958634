import { RSA_HASHES } from './keys.js'
import type { PublicKeyAuth } from './packet-protocol.js'
import { signatureFromSsh } from './ssh2/key-parser.js'
import { boolean, byte, MSG, Reader, string } from './wire.js'

/** OpenSSH's PROTOCOL, §3.1: public-key authentication whose signature names the server's host key as well. */
export const HOSTBOUND = 'publickey-hostbound-v00@openssh.com'
/** What says in EXT_INFO that we take it. An agent whose keys are bound to hosts signs nothing else over a forward. */
export const HOSTBOUND_EXTENSION = { name: 'publickey-hostbound@openssh.com', value: '0' }

/** What a signature has to be about. */
export interface Binding {
  sessionId: Buffer
  /** The public half of the key that the first key exchange was signed with. */
  hostKey: Buffer
}

/**
 * Reads what stands behind the method's name, in the form that ssh2 gives `publickey` in.
 * Undefined where it is about another host key, or no such request.
 */
export function readHostbound(
  { user, service, data }: { user: string; service: string; data: Buffer },
  { sessionId, hostKey }: Binding,
): PublicKeyAuth | undefined {
  const reader = new Reader(data)
  const signed = reader.boolean()
  const algorithm = reader.text()
  const key = reader.string()
  const named = reader.string()
  if (!named.equals(hostKey)) return undefined
  const hashAlgo = RSA_HASHES.get(algorithm)
  const keyAlgo = hashAlgo === undefined ? algorithm : 'ssh-rsa'
  if (!signed) return { keyAlgo, key, hashAlgo }
  const signature = readSignature(reader.string(), algorithm, keyAlgo)
  const request = [
    byte(MSG.USERAUTH_REQUEST),
    string(user),
    string(service),
    string(HOSTBOUND),
    boolean(true),
  ]
  const blob = Buffer.concat([string(sessionId), ...request, string(algorithm), string(key), string(named)])
  return signature && { keyAlgo, key, hashAlgo, signature, blob }
}

/** As OpenSSL verifies it. */
function readSignature(encoded: Buffer, algorithm: string, keyAlgo: string): Buffer | undefined {
  const reader = new Reader(encoded)
  return reader.text() === algorithm ? signatureFromSsh(reader.string(), keyAlgo) : undefined
}
