import { messageOf, SshjobError } from '../core/errors.js'
import {
  MAX_CHANNELS,
  MAX_FORWARDED_CHANNELS,
  MAX_WAITING_GLOBAL_REQUESTS,
  PACKET_MAX,
} from '../core/limits.js'
import { Channel, type PeerEnd } from './channel.js'
import { ChannelMemory } from './channel-memory.js'
import type { Transport } from './transport.js'
import { boolean, byte, MSG, OPEN_FAILURE, Reader, string, uint32 } from './wire.js'

/**
 * A peer's wish to open a channel: the channel's owner, or why not. `abandon` is called instead of `accept` where the
 * connection has ended before the answer.
 */
export type OpenAnswer = { accept: (channel: Channel) => void; abandon?: () => void } | Refusal

export interface Refusal {
  refuse: number
  message: string
}

/** Whether a request was done, or the data of the success. */
export type RequestAnswer = boolean | Buffer

/** Both may answer later. What they read of `data` they read at once: its bytes are used again. */
export interface ConnectionHandlers {
  onChannelOpen(type: string, data: Reader): OpenAnswer | Promise<OpenAnswer>
  onGlobalRequest(name: string, data: Reader): RequestAnswer | Promise<RequestAnswer>
}

/** Room for a channel that is about to be. */
interface Reserved {
  window: number
  leave: () => void
}

interface Opening extends Reserved {
  type: string
  resolve: (channel: Channel) => void
  reject: (error: SshjobError) => void
}

const kindOf = (type: string): 'session' | 'forwarded' => (type === 'session' ? 'session' : 'forwarded')

/** The connection protocol, RFC 4254: channels and global requests, the same for both ends. */
export class Connection {
  readonly #transport: Transport
  readonly #handlers: ConnectionHandlers
  readonly #channels = new Map<number, Channel>()
  readonly #opening = new Map<number, Opening>()
  readonly #memory = new ChannelMemory()
  /** Channels that are open or about to be, at this end's wish or the peer's: sessions, and all others. */
  readonly #counts = { session: 0, forwarded: 0 }
  /** What gives back the room of each of them. */
  readonly #reserved = new Set<() => void>()
  readonly #replies: ((answer: Buffer | undefined) => void)[] = []
  /** Global requests in their order, the first of which has no answer yet. */
  readonly #unanswered: { answer: RequestAnswer | undefined; wantReply: boolean }[] = []
  #nextId = 0
  #over: SshjobError | undefined
  readonly #whenOver = new Set<() => void>()

  constructor(transport: Transport, handlers: ConnectionHandlers) {
    this.#transport = transport
    this.#handlers = handlers
  }

  get channels(): ReadonlyMap<number, Channel> {
    return this.#channels
  }

  /** Whether as many forwarded connections are open, or about to be, as there may be. */
  get isFull(): boolean {
    return this.#counts.forwarded >= MAX_FORWARDED_CHANNELS
  }

  /**
   * Opens a channel.
   * @throws SshjobError 'channel-refused' with what the peer said; the cause of the connection's end, if it ends first
   */
  open(type: string, ...data: Buffer[]): Promise<Channel> {
    return new Promise((resolve, reject) => {
      if (this.#transport.closed) return reject(this.#over ?? closedOnPurpose())
      const id = this.#newId()
      const { window, leave } = this.#reserve(type)
      this.#opening.set(id, { type, window, leave, resolve, reject })
      this.#transport.send(
        byte(MSG.CHANNEL_OPEN),
        string(type),
        uint32(id),
        uint32(window),
        uint32(PACKET_MAX),
        ...data,
      )
    })
  }

  /** Why the connection is over, or undefined while it is not. */
  get ended(): SshjobError | undefined {
    return this.#over
  }

  /** Calls back when the connection is over, or now if it is; gives the function that takes this back. */
  whenOver(callback: () => void): () => void {
    if (this.#transport.closed) callback()
    else this.#whenOver.add(callback)
    return () => void this.#whenOver.delete(callback)
  }

  /** Sends a global request; resolves with the data of the success, or undefined for a failure. */
  request(name: string, ...data: Buffer[]): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      if (this.#transport.closed) return resolve(undefined)
      this.#replies.push(resolve)
      this.#transport.send(byte(MSG.GLOBAL_REQUEST), string(name), boolean(true), ...data)
    })
  }

  /** Sends a global request that wants no reply. */
  notify(name: string, ...data: Buffer[]): void {
    this.#transport.send(byte(MSG.GLOBAL_REQUEST), string(name), boolean(false), ...data)
  }

  /** One message of type 80 and up. What it throws is a breach of protocol. */
  receive(type: number, payload: Buffer): void {
    const data = new Reader(payload, 1)
    switch (type) {
      case MSG.GLOBAL_REQUEST:
        return this.#receiveGlobalRequest(data)
      case MSG.REQUEST_SUCCESS:
        this.#replies.shift()?.(Buffer.from(data.rest()))
        return
      case MSG.REQUEST_FAILURE:
        this.#replies.shift()?.(undefined)
        return
      case MSG.CHANNEL_OPEN:
        return this.#receiveOpen(data)
      case MSG.CHANNEL_OPEN_CONFIRMATION:
        return this.#receiveConfirmation(data)
      case MSG.CHANNEL_OPEN_FAILURE:
        return this.#receiveFailure(data)
    }
    if (type < MSG.CHANNEL_WINDOW_ADJUST || type > MSG.CHANNEL_FAILURE) return this.#transport.unimplemented()
    const id = data.uint32()
    const channel = this.#channels.get(id)
    if (channel === undefined) {
      // Erlang's client closes a channel at exit-signal, and once more when we do; OpenSSH goes on as well.
      if (type === MSG.CHANNEL_CLOSE && id < this.#nextId) return
      throw new RangeError(`there is no channel ${id}`)
    }
    channel.receive(type, data)
  }

  /** The transport has closed. */
  finish(cause: SshjobError | undefined): void {
    const error = cause ?? closedOnPurpose()
    this.#over = error
    for (const channel of [...this.#channels.values()]) channel.finish(error)
    for (const { reject } of this.#opening.values()) reject(error)
    this.#opening.clear()
    for (const leave of this.#reserved) leave()
    for (const reply of this.#replies.splice(0)) reply(undefined)
    for (const callback of this.#whenOver) callback()
    this.#whenOver.clear()
  }

  #newId(): number {
    while (this.#channels.has(this.#nextId) || this.#opening.has(this.#nextId)) this.#nextId++
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) % 0x7f_ff_ff_ff
    return id
  }

  /** Room for one more channel, and the window that it begins with. */
  #reserve(type: string): Reserved {
    const kind = kindOf(type)
    const leaveMemory = this.#memory.enter()
    this.#counts[kind] += 1
    const leave = (): void => {
      if (!this.#reserved.delete(leave)) return
      leaveMemory()
      this.#counts[kind] -= 1
    }
    this.#reserved.add(leave)
    return { window: this.#memory.initialWindow, leave }
  }

  #addChannel(id: number, { window, leave }: Reserved, peer: PeerEnd): Channel {
    const forget = (): void => {
      this.#channels.delete(id)
      leave()
    }
    const channel = new Channel({ id, window, memory: this.#memory, forget }, peer, this.#transport)
    this.#channels.set(id, channel)
    return channel
  }

  #receiveGlobalRequest(data: Reader): void {
    const name = data.text()
    const wantReply = data.boolean()
    if (this.#unanswered.length >= MAX_WAITING_GLOBAL_REQUESTS) throw new RangeError('too many requests wait')
    const answer = this.#handlers.onGlobalRequest(name, data)
    const request = { answer: typeof answer === 'object' && 'then' in answer ? undefined : answer, wantReply }
    this.#unanswered.push(request)
    if (typeof answer === 'object' && 'then' in answer) {
      answer
        .catch(() => false)
        .then((late) => {
          request.answer = late
          this.#answerGlobalRequests()
        })
    }
    this.#answerGlobalRequests()
  }

  /** In the order in which they came, which is all that says whose answer it is: RFC 4254 §4. */
  #answerGlobalRequests(): void {
    for (let first = this.#unanswered[0]; first?.answer !== undefined; first = this.#unanswered[0]) {
      this.#unanswered.shift()
      const { answer, wantReply } = first
      if (!wantReply) continue
      if (answer === false) this.#transport.send(byte(MSG.REQUEST_FAILURE))
      else this.#transport.send(byte(MSG.REQUEST_SUCCESS), ...(answer === true ? [] : [answer]))
    }
  }

  #receiveOpen(data: Reader): void {
    const type = data.text()
    const peer = { id: data.uint32(), window: data.uint32(), packetMax: data.uint32() }
    const refusal = this.#refuseOpen(type, peer)
    if (refusal !== undefined) return this.#refuse(peer, refusal)
    const reserved = this.#reserve(type)
    const answer = this.#handlers.onChannelOpen(type, data)
    if (!('then' in answer)) return this.#answerOpen(peer, answer, reserved)
    answer
      .catch((error: unknown) => ({ refuse: OPEN_FAILURE.CONNECT_FAILED, message: messageOf(error) }))
      .then((late) => this.#answerOpen(peer, late, reserved))
  }

  #refuseOpen(type: string, peer: PeerEnd): Refusal | undefined {
    const kind = kindOf(type)
    const most = kind === 'session' ? MAX_CHANNELS : MAX_FORWARDED_CHANNELS
    if (this.#counts[kind] >= most) {
      const message = `more than ${most} channels are open`
      return { refuse: OPEN_FAILURE.RESOURCE_SHORTAGE, message }
    }
    if (peer.packetMax > 0) return undefined
    return { refuse: OPEN_FAILURE.CONNECT_FAILED, message: 'a packet size of 0 carries nothing' }
  }

  #refuse(peer: PeerEnd, { refuse, message }: Refusal): void {
    this.#transport.send(
      byte(MSG.CHANNEL_OPEN_FAILURE),
      uint32(peer.id),
      uint32(refuse),
      string(message),
      string(''),
    )
  }

  #answerOpen(peer: PeerEnd, answer: OpenAnswer, reserved: Reserved): void {
    if ('refuse' in answer) {
      reserved.leave()
      return this.#refuse(peer, answer)
    }
    if (this.#transport.closed) return answer.abandon?.()
    const id = this.#newId()
    const channel = this.#addChannel(id, reserved, peer)
    this.#transport.send(
      byte(MSG.CHANNEL_OPEN_CONFIRMATION),
      uint32(peer.id),
      uint32(id),
      uint32(reserved.window),
      uint32(PACKET_MAX),
    )
    answer.accept(channel)
  }

  #receiveConfirmation(data: Reader): void {
    const id = data.uint32()
    const opening = this.#openingOf(id)
    const peer = { id: data.uint32(), window: data.uint32(), packetMax: data.uint32() }
    if (peer.packetMax === 0) throw new RangeError('a packet size of 0 carries nothing')
    this.#opening.delete(id)
    opening.resolve(this.#addChannel(id, opening, peer))
  }

  #receiveFailure(data: Reader): void {
    const id = data.uint32()
    const opening = this.#openingOf(id)
    const retry = data.uint32() === OPEN_FAILURE.CONNECT_FAILED // somebody may listen there later
    const what =
      opening.type === 'session' ? 'The server refused the session' : 'The other side refused to connect'
    const message = `${what}: ${data.text().replace(/\.$/, '')}.`
    this.#opening.delete(id)
    opening.leave()
    opening.reject(new SshjobError('channel-refused', message, { retry }))
  }

  /** Stays there until the answer has been read: should that fail, whoever waits is told with all others. */
  #openingOf(id: number): Opening {
    const opening = this.#opening.get(id)
    if (opening === undefined) throw new RangeError(`channel ${id} was not asked for`)
    return opening
  }
}

const ownEnds = new WeakSet<object>()

function closedOnPurpose(): SshjobError {
  const error = new SshjobError('connection-closed', 'The connection was closed.')
  ownEnds.add(error)
  return error
}

/**
 * Whether this is how a connection says that it was closed at this end, on purpose. Whoever did that need not be told
 * by an 'error' of each stream through it, which would end the process where nobody hears it.
 */
export function isOwnEnd(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ownEnds.has(error)
}
