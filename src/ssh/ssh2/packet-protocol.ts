import Protocol from 'ssh2/lib/protocol/Protocol.js'
import utils from 'ssh2/lib/protocol/utils.js'
import { CHACHA20_POLY1305, type Negotiated } from '../algorithms.js'
import type { Authentication, PacketProtocol, PacketProtocolOptions } from '../packet-protocol.js'
import { authenticationOf, ssh2Handlers } from './authentication.js'
import { replaceExtInfo } from './ext-info.js'
import { Negotiation } from './negotiation.js'
import { poolPackets } from './packet-allocator.js'
import { hasPoly1305 } from './poly1305.js'

/** Messages below those of the connection protocol that ssh2 has a handler for; it drops others without a word. */
const HANDLED: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 20, 50, 51, 52, 53, 60, 61])
/** The number at which ssh2's parser stops, wherever it is. */
const STOP = Number.POSITIVE_INFINITY

/**
 * ssh2's Protocol, with its faults mended. Its channels are not used: `_onPayload` of the instance is ours, and sees
 * every message before ssh2 does.
 */
export class Ssh2PacketProtocol implements PacketProtocol {
  /** What is under the interface. */
  readonly ssh2: Protocol
  readonly usable: Promise<void>
  readonly authentication: Authentication
  readonly #options: PacketProtocolOptions
  readonly #negotiation: Negotiation
  #sendExtInfo: () => void = () => undefined
  #isReady = false
  #isStopped = false

  constructor(options: PacketProtocolOptions) {
    const { proof, ident, offer, signatures, handlers } = options
    this.#options = options
    this.ssh2 = new Protocol({
      server: proof.role === 'server',
      ident,
      offer,
      ...(proof.role === 'server'
        ? { hostKeys: proof.hostKeys }
        : { hostVerifier: (key) => proof.verify(key) }),
      onWrite: options.onWrite,
      onError: options.onError,
      onHeader: ({ versions }) => options.onIdentified(versions.software),
      onHandshakeComplete: (negotiated) => this.#onHandshakeComplete(negotiated),
      messageHandlers: {
        ...ssh2Handlers(handlers),
        DISCONNECT: (_protocol, _reason, description) => options.onDisconnect(description),
      },
    })
    this.authentication = authenticationOf(this.ssh2)
    this.#negotiation = new Negotiation(this.ssh2, offer)
    if (proof.role === 'server') {
      this.#sendExtInfo = replaceExtInfo(this.ssh2, signatures, (...parts) => this.send(parts))
    }
    const handle = this.ssh2._onPayload
    this.ssh2._onPayload = (payload) => this.#onPayload(payload, handle)
    // It is compiled while the program goes on: without it, ChaCha20 fails in mid-packet.
    this.usable = hasPoly1305.then((has) => {
      if (!has) this.#negotiation.leaveOut(CHACHA20_POLY1305)
    })
  }

  start(): void {
    this.ssh2.start?.()
  }

  receive(bytes: Buffer): void {
    this.ssh2.parse(bytes, 0, bytes.length)
  }

  send(parts: readonly Buffer[]): void {
    const { write } = this.ssh2._packetRW
    let length = 0
    for (const part of parts) length += part.length
    const packet = write.alloc(length)
    let offset = write.allocStart
    for (const part of parts) {
      packet.set(part, offset)
      offset += part.length
    }
    utils.sendPacket(this.ssh2, write.finalize(packet))
  }

  sendAtOnce(payload: Buffer): void {
    const { write } = this.ssh2._packetRW
    const packet = write.alloc(payload.length, true)
    packet.set(payload, write.allocStartKEX)
    utils.sendPacket(this.ssh2, write.finalize(packet, true), true)
  }

  rekey(): void {
    this.ssh2.rekey()
  }

  stop(): void {
    this.#isStopped = true
    this.ssh2.cleanup()
  }

  get isSpeaking(): boolean {
    return this.ssh2.start === undefined && this.ssh2._destruct !== undefined
  }

  get isExchanging(): boolean {
    return this.ssh2._kexinit !== undefined
  }

  get queued(): number {
    return this.ssh2._queue?.length ?? 0
  }

  handles(type: number): boolean {
    return HANDLED.has(type)
  }

  get sequence(): number {
    // ssh2 has counted the packet already when it hands it over.
    return this.ssh2._decipher.inSeqno - 1
  }

  get sessionId(): Buffer | undefined {
    return this.ssh2._kex?.sessionID
  }

  preferFaster(negotiated: Negotiated): boolean {
    return this.#negotiation.preferFaster(negotiated)
  }

  #onHandshakeComplete(negotiated: Negotiated): void {
    this.#options.onKeys()
    const { cipher, mac } = negotiated[this.#options.proof.role === 'server' ? 'sc' : 'cs']
    poolPackets(this.ssh2._cipher, cipher, mac)
    if (this.#isReady) return
    this.#isReady = true
    this.#sendExtInfo()
    this.#options.onReady(negotiated)
  }

  #onPayload(payload: Buffer, handle: (payload: Buffer) => unknown): unknown {
    if (this.#isStopped) return STOP
    const isForSsh2 = this.#options.onMessage(payload)
    const next = isForSsh2 ? handle(payload) : undefined
    return this.#isStopped ? STOP : next
  }
}
