import type { AlgorithmOffer } from './algorithms.js'
import type { KexInit } from './kexinit.js'

/**
 * Whether this KEXINIT announces that a guessed key exchange packet follows, and the guess is wrong, so that the
 * packet must be ignored: RFC 4253 §7. It is right where both ends like the same key exchange and the same kind of
 * host key best.
 */
export function guessedWrong({ kex, hostKeys, guess }: KexInit, offer: AlgorithmOffer): boolean {
  return guess && (kex[0] !== offer.kex[0] || hostKeys[0] !== offer.serverHostKey[0])
}
