/** A key that has been read: the public half, and the private one where the text had it. */
export interface ParsedKey {
  /** As RFC 4253 §6.6 names it: 'ssh-ed25519', 'ssh-rsa', …. */
  type: string
  comment: string
  isPrivateKey(): boolean
  /** The public half as RFC 4253 §6.6 encodes it. */
  getPublicSSH(): Buffer
  /** A signature as OpenSSL makes it. @param hash what an RSA key hashes with: 'sha256', 'sha512' */
  sign(data: Buffer, hash?: string): Buffer | Error
  /** @param signature as OpenSSL makes it */
  verify(data: Buffer, signature: Buffer, hash?: string): boolean | Error
}
