import { Reader } from './wire.js'

/** SSH_MSG_KEXINIT and its cookie, RFC 4253 §7.1. */
const BEFORE_LISTS = 1 + 16

/** What an end says in its SSH_MSG_KEXINIT, of what is of use here; each list is best first. */
export interface KexInit {
  kex: string[]
  hostKeys: string[]
  /** From the client to the server, and from the server to the client. */
  ciphers: { cs: string[]; sc: string[] }
  /** A guessed packet of the key exchange follows. */
  guess: boolean
}

export function readKexinit(message: Buffer): KexInit {
  const reader = new Reader(message, BEFORE_LISTS)
  const list = () => reader.text().split(',')
  const kex = list()
  const hostKeys = list()
  const ciphers = { cs: list(), sc: list() }
  for (let rest = 0; rest < 6; rest++) reader.text() // MACs, compression and languages, for each direction
  return { kex, hostKeys, ciphers, guess: reader.boolean() }
}
