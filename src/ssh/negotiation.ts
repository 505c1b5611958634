import crypto from 'ssh2/lib/protocol/crypto.js'
import kex from 'ssh2/lib/protocol/kex.js'
import type Protocol from 'ssh2/lib/protocol/Protocol.js'
import type { AlgorithmOffer, Negotiated } from 'ssh2/lib/protocol/Protocol.js'
import { fasterOffer } from './faster-ciphers.js'
import { guessedWrong } from './kex-guess.js'
import { type KexInit, readKexinit } from './kexinit.js'

/** What ssh2 leaves undone where the two ends agree on algorithms (RFC 4253 §7). */
export class Negotiation {
  readonly #protocol: Protocol
  readonly #offered: AlgorithmOffer
  #peer: KexInit | undefined

  constructor(protocol: Protocol, offered: AlgorithmOffer) {
    this.#protocol = protocol
    this.#offered = offered
    this.#readKexinits()
    this.#judgeGuesses()
  }

  /**
   * Has the next key exchange choose faster ciphers where ssh2 has no native ones; gives whether there is anything to
   * gain by one.
   */
  preferFaster(negotiated: Negotiated): boolean {
    if (crypto.bindingAvailable) return false
    const faster = this.#peer && fasterOffer(this.#offered, this.#peer, negotiated)
    if (faster === undefined) return false
    this.#protocol._offer = new kex.KexInit(faster)
    return true
  }

  /** ssh2 reads the peer's message by itself: what can be seen is that it begins an exchange, which has it. */
  #readKexinits(): void {
    let exchange = this.#protocol._kex
    Object.defineProperty(this.#protocol, '_kex', {
      get: () => exchange,
      set: (value: Protocol['_kex']) => {
        exchange = value
        if (value?._remoteKexinit) this.#peer = readKexinit(value._remoteKexinit)
      },
    })
  }

  /**
   * ssh2 takes every guess for wrong: it compares the name of the algorithm with the first letter of one
   * (lib/protocol/kex.js, handleKexInit). It ignores the packet then, and both ends wait for each other: dropbear's
   * client guesses, always. So its mark that a packet is to be ignored is ours to answer.
   */
  #judgeGuesses(): void {
    let announced = this.#protocol._skipNextInboundPacket
    Object.defineProperty(this.#protocol, '_skipNextInboundPacket', {
      get: () => announced && this.#peer !== undefined && guessedWrong(this.#peer, this.#offered),
      set: (value: boolean) => {
        announced = value
      },
    })
  }
}
