/** What one end offers in its SSH_MSG_KEXINIT, best first, for each direction: client to server, and back. */
export interface AlgorithmOffer {
  kex: string[]
  serverHostKey: string[]
  cs: { cipher: string[]; mac: string[]; compress: string[]; lang: string[] }
  sc: { cipher: string[]; mac: string[]; compress: string[]; lang: string[] }
}

/** What the two ends have agreed on (RFC 4253 §7.1); a cipher with a MAC of its own has none besides: ''. */
export interface Negotiated {
  kex: string
  serverHostKey: string
  cs: { cipher: string; mac: string; compress: string }
  sc: { cipher: string; mac: string; compress: string }
}

/**
 * What is offered, best first. Left out, of what ssh2 knows: diffie-hellman-group-exchange (it fails in ssh2's
 * server when chosen), SHA-1, CBC, and compression (its errors would end the process; a wire that is worth
 * compressing can do so beneath SSH).
 */
export const KEX: readonly string[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
  'diffie-hellman-group14-sha256',
]
export const CHACHA20_POLY1305 = 'chacha20-poly1305@openssh.com'
export const CIPHERS: readonly string[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  CHACHA20_POLY1305,
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
]
export const MACS: readonly string[] = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
]

/** What keys sign with, on both ends: RFC 8308 §3.1. */
export const SIGNATURE_ALGORITHMS: readonly string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/** What one end offers, where that is not all of the above. */
export interface Algorithms {
  kex: readonly string[]
  ciphers: readonly string[]
  macs: readonly string[]
  /** What a client may sign with. */
  signatures: readonly string[]
}

export const ALGORITHMS: Algorithms = {
  kex: KEX,
  ciphers: CIPHERS,
  macs: MACS,
  signatures: SIGNATURE_ALGORITHMS,
}

/** The names under which a host key of this type signs: an RSA key has two (RFC 8332), SHA-1 not among them. */
export function hostKeyAlgorithms(type: string): string[] {
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]
}

export function offer(serverHostKey: readonly string[], algorithms: Algorithms = ALGORITHMS): AlgorithmOffer {
  const { kex, ciphers, macs } = algorithms
  const direction = { cipher: [...ciphers], mac: [...macs], compress: ['none'], lang: [] }
  return { kex: [...kex], serverHostKey: [...serverHostKey], cs: direction, sc: direction }
}
