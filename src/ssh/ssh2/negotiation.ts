import crypto from 'ssh2/lib/protocol/crypto.js'
import kex from 'ssh2/lib/protocol/kex.js'
import type Protocol from 'ssh2/lib/protocol/Protocol.js'
import type { AlgorithmOffer, Negotiated } from '../algorithms.js'
import { fasterOffer } from '../faster-ciphers.js'
import { guessedWrong } from '../kex-guess.js'
import { type KexInit, readKexinit } from '../kexinit.js'

/** SSH_MSG_IGNORE, SSH_MSG_UNIMPLEMENTED and SSH_MSG_DEBUG: RFC 4253 §11.2 to §11.4. */
const PASSED_OVER: ReadonlySet<number | undefined> = new Set([2, 3, 4])

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

  /** From now on, which is before the first key exchange, this cipher is not offered. */
  leaveOut(cipher: string): void {
    for (const way of [this.#offered.cs, this.#offered.sc]) {
      way.cipher = way.cipher.filter((name) => name !== cipher)
    }
    // With the names that ssh2 has added for strict key exchange.
    this.#protocol._offer = new kex.KexInit({ ...this.#offered, kex: this.#protocol._offer.lists.kex.array })
  }

  /** ssh2 reads the peer's message by itself: what can be seen is that it begins an exchange, which has it. */
  #readKexinits(): void {
    let exchange = this.#protocol._kex
    Object.defineProperty(this.#protocol, '_kex', {
      get: () => exchange,
      set: (value: Protocol['_kex']) => {
        if (exchange !== undefined) this.#passOver()
        exchange = value
        if (value?._remoteKexinit) this.#peer = readKexinit(value._remoteKexinit)
      },
    })
  }

  /**
   * Strict key exchange forbids other messages in the first exchange alone (OpenSSH's PROTOCOL, §1.9); ssh2 ends the
   * connection in later ones as well. AsyncSSH sends SSH_MSG_IGNORE in each.
   */
  #passOver(): void {
    const decipher = this.#protocol._decipher
    const parse = decipher._onPayload
    decipher._onPayload = (payload) => (PASSED_OVER.has(payload[0]) ? undefined : parse(payload))
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
