import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { endSentence, messageOf, SshjobError } from '../core/errors.js'
import { CIPHER_CHANGE_BYTES, KEX_QUEUE_MAX_PACKETS } from '../core/limits.js'
import type { Logger } from '../core/log.js'
import { ALGORITHMS, type Algorithms, hostKeyAlgorithms, type Negotiated, offer } from './algorithms.js'
import { byAlgorithm, type HostKey, namesOf } from './host-keys.js'
import type { Binding } from './hostbound.js'
import { IDENT, NO_SSH } from './identification.js'
import { Inlet } from './inlet.js'
import { KeyRenewal, type RekeyLimits } from './key-renewal.js'
import type { ParsedKey } from './keys.js'
import { Outlet } from './outlet.js'
import type { Authentication, MessageHandlers, PacketProtocol } from './packet-protocol.js'
import { Ssh2PacketProtocol } from './ssh2/packet-protocol.js'
import { byte, DISCONNECT, MSG, string, uint32 } from './wire.js'

/** Which end this is. The server proves that it has one of its host keys; the client accepts exactly one. */
export type Side =
  | { role: 'client'; hostKey: ParsedKey }
  /** The keys by what they sign with, best first; the first of an algorithm is the one that signs. */
  | { role: 'server'; hostKeys: readonly HostKey[] }

export interface TransportOptions {
  stream: Duplex
  side: Side
  /** Default: ALGORITHMS. */
  algorithms?: Algorithms
  handlers: MessageHandlers
  /** The first key exchange is done. */
  onReady: (negotiated: Negotiated) => void
  /** A message of the connection protocol (RFC 4254), type 80 and up, once the peer has authenticated. */
  onMessage: (type: number, payload: Buffer) => void
  /** Once: the connection is over, for this reason, or undefined after our own close(). */
  onClosed: (cause: SshjobError | undefined) => void
  log: Logger
}

/**
 * SSH's transport (RFC 4253) on any Duplex: a packet protocol does key exchange, ciphers and the parsing of
 * authentication; everything above it, and all bookkeeping of memory, is done here.
 */
export class Transport {
  /** What the peer calls itself. */
  peerSoftware = ''
  authenticated = false
  /** Bytes that have come from the peer. */
  received = 0
  /** When channel data last went either way, in milliseconds since the epoch. */
  lastTraffic = Date.now()
  readonly #packets: PacketProtocol
  readonly #stream: Duplex
  readonly #options: TransportOptions
  readonly #log: Logger
  #hostKey: HostKey | undefined
  /** The peer has said that it speaks SSH. */
  #identified = false
  #closed = false
  #firstCause: SshjobError | undefined
  readonly #renewal = new KeyRenewal(
    () => this.rekey(),
    (cause) => this.close(cause),
  )
  readonly #outlet: Outlet
  readonly #inlet: Inlet

  constructor(options: TransportOptions) {
    const { stream, side, handlers } = options
    this.#options = options
    this.#stream = stream
    this.#outlet = new Outlet(stream, () => this.#packets.isExchanging)
    this.#inlet = new Inlet(stream, (bytes) => this.#receive(bytes))
    this.#log = options.log
    // Small packets go out at once: waiting for the peer's delayed ACK costs 40 ms, twice in a key exchange.
    if (stream instanceof Socket) stream.setNoDelay(true)
    const algorithms = options.algorithms ?? ALGORITHMS
    const names = side.role === 'client' ? hostKeyAlgorithms(side.hostKey.type) : namesOf(side.hostKeys)
    this.#packets = new Ssh2PacketProtocol({
      ident: IDENT,
      offer: offer(names, algorithms),
      signatures: algorithms.signatures,
      proof:
        side.role === 'server'
          ? { role: 'server', hostKeys: byAlgorithm(side.hostKeys) }
          : { role: 'client', verify: (key) => this.#verifyHostKey(key, side.hostKey) },
      handlers,
      onWrite: (data) => this.#write(data),
      onError: (error) => this.close(this.#protocolError(error)),
      onIdentified: (software) => {
        this.#identified = true
        this.peerSoftware = software
      },
      onKeys: () => {
        this.#renewal.finished()
        queueMicrotask(() => this.#outlet.wakeWaiting())
      },
      onReady: (negotiated) => {
        if (side.role === 'server') {
          this.#hostKey = side.hostKeys.find(({ algorithm }) => algorithm === negotiated.serverHostKey)
        }
        if (this.#packets.preferFaster(negotiated)) this.#renewal.soon(CIPHER_CHANGE_BYTES)
        options.onReady(negotiated)
      },
      onMessage: (payload) => this.#onPayload(payload),
      onDisconnect: (description) => {
        const said = description === '' ? '' : `: ${description}`
        this.close(
          new SshjobError('connection-closed', endSentence(`The other side closed the connection${said}`)),
        )
      },
    })

    stream.on('end', this.#onEnd)
    stream.on('error', this.#onStreamError)
    stream.on('close', this.#onEnd)
    this.#renewal.started()
    void this.#packets.usable.then(() => this.#begin())
    // A stream that has ended before we listened will say nothing more.
    if (stream.destroyed || stream.readableEnded) process.nextTick(this.#onEnd)
  }

  #begin(): void {
    if (this.#closed) return
    this.#inlet.open()
    this.#stream.on('drain', this.#onDrain)
    this.#packets.start()
  }

  /** True while data should wait: for others, for the stream, or for a key exchange, in which packets are queued. */
  get congested(): boolean {
    return this.#outlet.congested
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Calls back once, as soon as data may flow again; never after the end, of which onClosed tells. */
  whenWritable(callback: () => void): void {
    if (!this.#closed) this.#outlet.whenWritable(callback)
  }

  /** Sends one message. */
  send(...parts: Buffer[]): void {
    if (this.#closed) return
    this.#packets.send(parts)
    if (this.#packets.queued > KEX_QUEUE_MAX_PACKETS) {
      this.close(
        new SshjobError('protocol-error', 'The other side keeps sending requests during a key exchange.'),
      )
    }
  }

  /** Sends a message whose last part is large: no copies besides the one into the packet. */
  sendData(header: Buffer, data: Buffer): void {
    if (this.#closed) return
    this.#packets.send([header, data])
    this.#outlet.spend(data.length)
  }

  /** Answers a message that nobody knows: RFC 4253 §11.4. */
  unimplemented(): void {
    this.send(byte(MSG.UNIMPLEMENTED), uint32(this.#packets.sequence))
  }

  /** Starts a key exchange, unless one is running. */
  rekey(): void {
    if (this.#closed || !this.authenticated || this.#packets.isExchanging) return
    this.#log.debug({}, 'key exchange started')
    this.#renewal.started()
    this.#packets.rekey()
  }

  /** From now on. Default: REKEY_BYTES and REKEY_MS. */
  limitKeys(limits: RekeyLimits): void {
    if (!this.#closed) this.#renewal.limit(limits)
  }

  /** The server's key that the first key exchange was signed with, and what it signed with; undefined before its end. */
  get hostKey(): HostKey | undefined {
    return this.#hostKey
  }

  /** What a signature of this connection's has to name; undefined before the end of the first key exchange. */
  get binding(): Binding | undefined {
    const { sessionId } = this.#packets
    return this.#hostKey && sessionId && { sessionId, hostKey: this.#hostKey.key.getPublicSSH() }
  }

  /** For a client, to ask for the first thing (RFC 4252). */
  get authentication(): Authentication {
    return this.#packets.authentication
  }

  /** What is under this. */
  get packets(): PacketProtocol {
    return this.#packets
  }

  /** Ends the connection; the first cause given is the one that is reported. */
  close(cause?: SshjobError, reason: number = DISCONNECT.BY_APPLICATION): void {
    if (this.#closed) return
    if (this.#packets.isSpeaking && this.#stream.writable) {
      const knowsSsh =
        this.#identified || this.#options.side.role === 'client' || cause?.code !== 'protocol-error'
      if (knowsSsh) this.#sendDisconnect(reason, cause)
      else this.#write(Buffer.from(NO_SSH))
    }
    this.#closed = true
    this.#firstCause = cause
    this.#renewal.stop()
    this.#packets.stop()
    this.#inlet.close()
    this.#outlet.end()
    this.#options.onClosed(this.#firstCause)
  }

  #receive(bytes: Buffer): void {
    this.#renewal.count(bytes.length)
    this.received += bytes.length
    try {
      this.#packets.receive(bytes)
    } catch (error) {
      this.close(this.#protocolError(error), DISCONNECT.PROTOCOL_ERROR)
      return
    }
    if (this.#renewal.isDue) this.rekey()
  }

  readonly #onDrain = (): void => this.#outlet.wakeWaiting()

  readonly #onEnd = (): void => {
    if (this.#closed) return
    this.close(new SshjobError('connection-lost', 'The connection ended: the other side has gone.'))
  }

  readonly #onStreamError = (error: Error): void => {
    this.close(
      new SshjobError('connection-lost', endSentence(`The connection failed: ${messageOf(error)}`), {
        cause: error,
      }),
    )
  }

  /** Gives whether the message is for the packet protocol to handle. */
  #onPayload(payload: Buffer): boolean {
    this.#inlet.count()
    const type = payload[0]
    if (type === undefined) return true
    if (type < MSG.GLOBAL_REQUEST) {
      if (type === MSG.KEXINIT) this.#renewal.started()
      if (!this.#packets.handles(type)) {
        this.unimplemented()
        return false
      }
      // RFC 4252 §5.1: further requests to authenticate are ignored. ssh2 would remember each one.
      return !(this.authenticated && type >= MSG.USERAUTH_FIRST)
    }
    if (!this.authenticated) throw new Error('the peer asked for a service before it authenticated')
    this.#options.onMessage(type, payload)
    return false
  }

  #write(data: Buffer): void {
    this.#renewal.count(data.length)
    this.#outlet.write(data)
    // After this packet's turn: the protocol is in the middle of it.
    if (this.#renewal.isDue) process.nextTick(() => this.#renewal.isDue && this.rekey())
  }

  #verifyHostKey(presented: Buffer, expected: ParsedKey): boolean {
    if (presented.equals(expected.getPublicSSH())) return true
    this.#firstCause = new SshjobError(
      'host-key-mismatch',
      'The server presented another host key than the one that was announced: somebody may be in between. ' +
        'Do not continue; ask whoever runs the server.',
    )
    return false
  }

  #sendDisconnect(reason: number, cause: SshjobError | undefined): void {
    this.#packets.sendAtOnce(
      Buffer.concat([byte(MSG.DISCONNECT), uint32(reason), string(cause?.message ?? ''), string('')]),
    )
  }

  #protocolError(error: unknown): SshjobError {
    if (this.#firstCause !== undefined) return this.#firstCause
    return new SshjobError(
      'protocol-error',
      endSentence(`The SSH protocol was broken: ${messageOf(error)}`),
      {
        cause: error,
      },
    )
  }
}
