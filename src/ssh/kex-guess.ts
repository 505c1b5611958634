import type Protocol from 'ssh2/lib/protocol/Protocol.js'
import type { AlgorithmOffer } from 'ssh2/lib/protocol/Protocol.js'
import { Reader } from './wire.js'

/** SSH_MSG_KEXINIT and its cookie, RFC 4253 §7.1. */
const BEFORE_LISTS = 1 + 16
const LISTS = 10

/**
 * Whether this KEXINIT announces that a guessed key exchange packet follows, and the guess is wrong, so that the
 * packet must be ignored: RFC 4253 §7. It is right where both ends like the same key exchange and the same kind of
 * host key best.
 */
export function guessedWrong(kexinit: Buffer, offer: AlgorithmOffer): boolean {
  const reader = new Reader(kexinit, BEFORE_LISTS)
  const lists = Array.from({ length: LISTS }, () => reader.text().split(','))
  const follows = reader.boolean()
  const [kex, hostKey] = lists
  return follows && (kex?.[0] !== offer.kex[0] || hostKey?.[0] !== offer.serverHostKey[0])
}

/**
 * ssh2 takes every guess for wrong: it compares the name of the algorithm with the first letter of one
 * (lib/protocol/kex.js, handleKexInit). It ignores the packet then, and both ends wait for each other: dropbear's
 * client guesses, always. So its mark that a packet is to be ignored is ours to answer.
 */
export function judgeGuesses(protocol: Protocol, offer: AlgorithmOffer): void {
  let announced = protocol._skipNextInboundPacket
  Object.defineProperty(protocol, '_skipNextInboundPacket', {
    get: () => {
      const kexinit = protocol._kex?._remoteKexinit
      return announced && kexinit !== undefined && guessedWrong(kexinit, offer)
    },
    set: (value: boolean) => {
      announced = value
    },
  })
}
