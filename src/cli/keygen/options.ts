import { RSA_BITS_DEFAULT } from '../../core/limits.js'
import type { OptionTable } from '../arguments/options.js'

export const KEYGEN_OPTIONS = {
  type: { short: 't', value: 'TYPE', values: ['ed25519', 'rsa'], help: 'ed25519 or rsa (default: ed25519)' },
  bits: { short: 'b', value: 'BITS', help: `the length of an rsa key (default: ${RSA_BITS_DEFAULT})` },
  file: { short: 'f', value: 'FILE', help: 'the private key; the public one goes into FILE.pub' },
  passphrase: { short: 'N', value: "''", help: 'no passphrase: the only one there is' },
  comment: { short: 'C', value: 'TEXT', help: 'what stands behind the public key (default: user@host)' },
  quiet: { short: 'q', help: 'say nothing' },
  public: { short: 'y', help: 'print the public half of FILE instead' },
  fingerprint: { short: 'l', help: 'print the fingerprint of FILE instead' },
  help: { short: 'h', help: 'print this' },
  version: { short: 'V', help: 'print the version' },
} satisfies OptionTable<string>
