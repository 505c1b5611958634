import { Writable } from 'node:stream'
import { deferred } from '../core/deferred.js'
import { messageOf, SshjobError } from '../core/errors.js'
import { PACKET_MAX } from '../core/limits.js'
import type { ChannelMemory } from './channel-memory.js'
import { Incoming } from './incoming.js'
import { ReceiveWindow } from './receive-window.js'
import { RequestQueue } from './request-queue.js'
import type { Transport } from './transport.js'
import { boolean, byte, DISCONNECT, MSG, Reader, string, uint32 } from './wire.js'

const EMPTY = Buffer.alloc(0)
/** SSH_EXTENDED_DATA_STDERR: RFC 4254 §5.2. */
const STDERR = 1

/** What a channel has at this end. */
export interface OwnEnd {
  id: number
  /** What the peer was told that it may send. */
  window: number
  memory: ChannelMemory
  /** Called when the channel is gone. */
  forget: () => void
}

/** What a channel needs to know of its other end: RFC 4254 §5.1. */
export interface PeerEnd {
  id: number
  window: number
  packetMax: number
}

/**
 * Answers a request of the peer: whether it was done. Where that is known later only, the requests behind it wait. What
 * it reads of `data` it reads at once: the bytes are used again.
 */
export type RequestHandler = (name: string, data: Reader) => boolean | Promise<boolean>

/**
 * One channel of RFC 4254 §5. Its four streams live and end apart: what the peer sends (`input`, and
 * `inputExtended` for stderr) and what we send (`output`, `outputExtended`); so neither direction's end, and
 * neither of stdout and stderr, disturbs the other.
 */
export class Channel {
  readonly id: number
  readonly input: Incoming
  readonly inputExtended: Incoming
  /** Ending it sends EOF, once both outputs have been let out. */
  readonly output: Writable
  readonly outputExtended: Writable
  /** Resolves when the channel is gone: with the cause if the connection failed, with undefined after a close. */
  readonly closed: Promise<SshjobError | undefined>
  onRequest: RequestHandler = () => false
  readonly #transport: Transport
  readonly #peer: PeerEnd
  readonly #lanes: [Lane, Lane]
  readonly #forget: () => void
  readonly #window: ReceiveWindow
  #sentEof = false
  #sentClose = false
  #sentEow = false
  #gone = false
  #waiting = false
  #pumping = false
  #finalDone: (() => void) | undefined
  readonly #closing = deferred<SshjobError | undefined>()
  readonly #replies: ((done: boolean) => void)[] = []
  /** Requests of the peer behind one that has no answer yet. */
  readonly #requests: RequestQueue

  constructor({ id, window, memory, forget }: OwnEnd, peer: PeerEnd, transport: Transport) {
    this.id = id
    this.#peer = peer
    this.#transport = transport
    this.#forget = forget
    this.#window = new ReceiveWindow(window, () => memory.window)
    this.#requests = new RequestQueue(() => memory.requests)
    this.closed = this.#closing.promise
    const consumed = (): void => this.#grant()
    this.input = new Incoming(consumed)
    this.inputExtended = new Incoming(consumed)
    this.#lanes = [new Lane(undefined), new Lane(STDERR)]
    this.output = this.#writable(this.#lanes[0], memory.output, (done) => {
      this.#finalDone = done
      this.#pump()
    })
    this.outputExtended = this.#writable(this.#lanes[1], memory.output, (done) => done())
  }

  get isClosed(): boolean {
    return this.#gone || this.#sentClose
  }

  /** Sends a channel request; resolves with whether the peer did it, or false when the channel ends first. */
  request(name: string, ...data: Buffer[]): Promise<boolean> {
    if (this.isClosed) return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#replies.push(resolve)
      this.#send(MSG.CHANNEL_REQUEST, string(name), boolean(true), ...data)
    })
  }

  /** Sends a channel request that wants no answer. */
  notify(name: string, ...data: Buffer[]): void {
    if (!this.isClosed) this.#send(MSG.CHANNEL_REQUEST, string(name), boolean(false), ...data)
  }

  /** Sends CLOSE: what is still waiting to be sent is dropped. */
  close(): void {
    if (this.isClosed) return
    this.#sentClose = true
    this.#send(MSG.CHANNEL_CLOSE)
    this.output.destroy()
    this.outputExtended.destroy()
  }

  /** One message of the peer for this channel. Throws what makes the connection end as a protocol error. */
  receive(type: number, data: Reader): void {
    switch (type) {
      case MSG.CHANNEL_DATA:
        return this.#receiveData(this.input, data.string())
      case MSG.CHANNEL_EXTENDED_DATA: {
        const kind = data.uint32()
        // A kind that nobody knows is taken off the window and dropped.
        return this.#receiveData(kind === STDERR ? this.inputExtended : undefined, data.string())
      }
      case MSG.CHANNEL_WINDOW_ADJUST:
        this.#peer.window += data.uint32()
        // RFC 4254 §5.2: the window MUST NOT go past 2^32-1.
        if (this.#peer.window > 0xff_ff_ff_ff) throw new RangeError('a window grew past 2^32-1')
        return this.#pump()
      case MSG.CHANNEL_EOF:
        this.input.finish()
        this.inputExtended.finish()
        return
      case MSG.CHANNEL_CLOSE:
        this.close()
        return this.finish(undefined)
      case MSG.CHANNEL_REQUEST:
        return this.#receiveRequest(data)
      case MSG.CHANNEL_SUCCESS:
      case MSG.CHANNEL_FAILURE:
        this.#replies.shift()?.(type === MSG.CHANNEL_SUCCESS)
        return
    }
  }

  /** The channel is over: after CLOSE from both ends, or because the connection has failed. */
  finish(cause: SshjobError | undefined): void {
    if (this.#gone) return
    this.#gone = true
    this.#forget()
    this.input.finish(cause)
    this.inputExtended.finish(cause)
    this.output.destroy()
    this.outputExtended.destroy()
    for (const reply of this.#replies.splice(0)) reply(false)
    this.#closing.resolve(cause)
  }

  #send(type: number, ...parts: Buffer[]): void {
    this.#transport.send(byte(type), uint32(this.#peer.id), ...parts)
  }

  #receiveData(target: Incoming | undefined, data: Buffer): void {
    this.#window.take(data.length)
    this.#transport.lastTraffic = Date.now()
    if (this.#sentClose) return
    if (target !== undefined && !target.destroyed) target.receive(data)
    else this.#sayNobodyReads()
    this.#grant()
  }

  /** eow@openssh.com (OpenSSH's PROTOCOL, §2.1): what the peer sends is thrown away, so it may stop reading. */
  #sayNobodyReads(): void {
    if (this.#sentEow || !this.#transport.peerSoftware.startsWith('OpenSSH')) return
    this.#sentEow = true
    this.notify('eow@openssh.com')
  }

  #receiveRequest(data: Reader): void {
    const name = data.text()
    const wantReply = data.boolean()
    if (this.#requests.blocked) this.#requests.add({ name, wantReply, data: Buffer.from(data.rest()) })
    else this.#answerRequest(name, wantReply, data)
  }

  #answerRequest(name: string, wantReply: boolean, data: Reader): void {
    const reply = (done: boolean): void => {
      if (wantReply && !this.isClosed) this.#send(done ? MSG.CHANNEL_SUCCESS : MSG.CHANNEL_FAILURE)
    }
    const done = this.onRequest(name, data)
    if (typeof done === 'boolean') return reply(done)
    this.#requests.blocked = true
    done
      .catch(() => false)
      .then((late) => {
        this.#requests.blocked = false
        reply(late)
        this.#answerWaiting()
      })
  }

  #answerWaiting(): void {
    while (!this.#requests.blocked && !this.isClosed) {
      const next = this.#requests.take()
      if (next === undefined) return
      try {
        this.#answerRequest(next.name, next.wantReply, new Reader(next.data))
      } catch (error) {
        const cause = new SshjobError('protocol-error', `The SSH protocol was broken: ${messageOf(error)}.`)
        return this.#transport.close(cause, DISCONNECT.PROTOCOL_ERROR)
      }
    }
  }

  /** Gives the peer back what has been read. */
  #grant(): void {
    if (this.isClosed) return
    const amount = this.#window.grant(this.input.unread + this.inputExtended.unread)
    if (amount > 0) this.#send(MSG.CHANNEL_WINDOW_ADJUST, uint32(amount))
  }

  #sendEof(): void {
    if (this.#sentEof || this.isClosed) return
    this.#sentEof = true
    this.#send(MSG.CHANNEL_EOF)
    this.#finalDone?.()
  }

  #writable(lane: Lane, highWaterMark: number, final: (done: () => void) => void): Writable {
    return new Writable({
      decodeStrings: true,
      highWaterMark,
      write: (chunk: Buffer, _encoding, done) => {
        lane.put(chunk, done)
        this.#pump()
      },
      final,
      destroy: (error, done) => {
        lane.drop()
        done(error)
      },
    })
  }

  /** Sends what windows and transport allow; the two outputs take turns, packet by packet. */
  #pump(): void {
    if (this.#pumping) return // a callback of a finished write has written more: the loop below takes it
    this.#pumping = true
    for (let sent = true; sent && !this.isClosed; ) {
      sent = false
      for (const lane of this.#lanes) {
        if (lane.empty || this.#peer.window === 0) continue
        if (this.#transport.congested) {
          this.#waitForTransport()
          sent = false
          break
        }
        const data = lane.take(Math.min(this.#peer.window, this.#peer.packetMax, PACKET_MAX))
        this.#peer.window -= data.length
        this.#transport.lastTraffic = Date.now()
        this.#transport.sendData(this.#dataHeader(lane.kind, data.length), data)
        lane.settle()
        sent = true
      }
    }
    this.#pumping = false
    if (this.#finalDone !== undefined && this.outputExtended.writableLength === 0) this.#sendEof()
  }

  #dataHeader(kind: number | undefined, length: number): Buffer {
    const header = Buffer.allocUnsafe(kind === undefined ? 9 : 13)
    header[0] = kind === undefined ? MSG.CHANNEL_DATA : MSG.CHANNEL_EXTENDED_DATA
    let end = header.writeUInt32BE(this.#peer.id, 1)
    if (kind !== undefined) end = header.writeUInt32BE(kind, end)
    header.writeUInt32BE(length, end)
    return header
  }

  #waitForTransport(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#transport.whenWritable(() => {
      this.#waiting = false
      this.#pump()
    })
  }
}

/** One write at a time, cut into packets. */
class Lane {
  readonly kind: number | undefined
  #data: Buffer = EMPTY
  #done: ((error?: Error | null) => void) | undefined

  constructor(kind: number | undefined) {
    this.kind = kind
  }

  get empty(): boolean {
    return this.#data.length === 0
  }

  put(data: Buffer, done: (error?: Error | null) => void): void {
    if (data.length === 0) return done()
    this.#data = data
    this.#done = done
  }

  take(most: number): Buffer {
    const data = this.#data.subarray(0, most)
    this.#data = this.#data.subarray(data.length)
    return data
  }

  /** Tells the writer when its chunk has been let out. */
  settle(): void {
    if (this.#data.length > 0) return
    const done = this.#done
    this.#done = undefined
    done?.()
  }

  drop(): void {
    this.#data = EMPTY
    const done = this.#done
    this.#done = undefined
    done?.(new SshjobError('connection-closed', 'The channel was closed.'))
  }
}
