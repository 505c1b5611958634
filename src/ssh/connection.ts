import { messageOf, SshjobError } from '../core/errors.js'
import { MAX_CHANNELS, MAX_WAITING_GLOBAL_REQUESTS, PACKET_MAX, WINDOW_INITIAL } from '../core/limits.js'
import { Channel, type PeerEnd } from './channel.js'
import type { Transport } from './transport.js'
import { boolean, byte, MSG, OPEN_FAILURE, Reader, string, uint32 } from './wire.js'

/**
 * A peer's wish to open a channel: the channel's owner, or why not. `abandon` is called instead of `accept` where the
 * connection has ended before the answer.
 */
export type OpenAnswer =
  | { accept: (channel: Channel) => void; abandon?: () => void }
  | { refuse: number; message: string }

/** Whether a request was done, or the data of the success. */
export type RequestAnswer = boolean | Buffer

/** Both may answer later. What they read of `data` they read at once: its bytes are used again. */
export interface ConnectionHandlers {
  onChannelOpen(type: string, data: Reader): OpenAnswer | Promise<OpenAnswer>
  onGlobalRequest(name: string, data: Reader): RequestAnswer | Promise<RequestAnswer>
}

/** The connection protocol, RFC 4254: channels and global requests, the same for both ends. */
export class Connection {
  readonly #transport: Transport
  readonly #handlers: ConnectionHandlers
  readonly #channels = new Map<number, Channel>()
  readonly #opening = new Map<
    number,
    { type: string; resolve: (c: Channel) => void; reject: (e: SshjobError) => void }
  >()
  readonly #replies: ((answer: Buffer | undefined) => void)[] = []
  /** Channels that the peer wants to open, and has no answer for yet. */
  #undecided = 0
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

  /** Whether as many channels are open, or about to be, as there may be. */
  get isFull(): boolean {
    return this.#channels.size + this.#opening.size + this.#undecided >= MAX_CHANNELS
  }

  /**
   * Opens a channel.
   * @throws SshjobError 'channel-refused' with what the peer said; the cause of the connection's end, if it ends first
   */
  open(type: string, ...data: Buffer[]): Promise<Channel> {
    return new Promise((resolve, reject) => {
      if (this.#transport.closed) return reject(this.#over ?? closedOnPurpose())
      const id = this.#newId()
      this.#opening.set(id, { type, resolve, reject })
      this.#transport.send(
        byte(MSG.CHANNEL_OPEN),
        string(type),
        uint32(id),
        uint32(WINDOW_INITIAL),
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

  #addChannel(id: number, peer: PeerEnd): Channel {
    const channel = new Channel(id, peer, this.#transport, () => this.#channels.delete(id))
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
    const answer = this.#refuseOpen(peer) ?? this.#handlers.onChannelOpen(type, data)
    if (!('then' in answer)) return this.#answerOpen(peer, answer)
    this.#undecided += 1
    answer
      .catch((error: unknown) => ({ refuse: OPEN_FAILURE.CONNECT_FAILED, message: messageOf(error) }))
      .then((late) => {
        this.#undecided -= 1
        this.#answerOpen(peer, late)
      })
  }

  #refuseOpen(peer: PeerEnd): OpenAnswer | undefined {
    if (this.isFull) {
      const message = `more than ${MAX_CHANNELS} channels are open`
      return { refuse: OPEN_FAILURE.RESOURCE_SHORTAGE, message }
    }
    if (peer.packetMax > 0) return undefined
    return { refuse: OPEN_FAILURE.CONNECT_FAILED, message: 'a packet size of 0 carries nothing' }
  }

  #answerOpen(peer: PeerEnd, answer: OpenAnswer): void {
    if ('refuse' in answer) {
      this.#transport.send(
        byte(MSG.CHANNEL_OPEN_FAILURE),
        uint32(peer.id),
        uint32(answer.refuse),
        string(answer.message),
        string(''),
      )
      return
    }
    if (this.#transport.closed) return answer.abandon?.()
    const id = this.#newId()
    const channel = this.#addChannel(id, peer)
    this.#transport.send(
      byte(MSG.CHANNEL_OPEN_CONFIRMATION),
      uint32(peer.id),
      uint32(id),
      uint32(WINDOW_INITIAL),
      uint32(PACKET_MAX),
    )
    answer.accept(channel)
  }

  #receiveConfirmation(data: Reader): void {
    const id = data.uint32()
    const opening = this.#takeOpening(id)
    const peer = { id: data.uint32(), window: data.uint32(), packetMax: data.uint32() }
    if (peer.packetMax === 0) throw new RangeError('a packet size of 0 carries nothing')
    opening.resolve(this.#addChannel(id, peer))
  }

  #receiveFailure(data: Reader): void {
    const opening = this.#takeOpening(data.uint32())
    const retry = data.uint32() === OPEN_FAILURE.CONNECT_FAILED // somebody may listen there later
    const what =
      opening.type === 'session' ? 'The server refused the session' : 'The other side refused to connect'
    opening.reject(
      new SshjobError('channel-refused', `${what}: ${data.text().replace(/\.$/, '')}.`, { retry }),
    )
  }

  #takeOpening(id: number) {
    const opening = this.#opening.get(id)
    if (opening === undefined) throw new RangeError(`channel ${id} was not asked for`)
    this.#opening.delete(id)
    return opening
  }
}

function closedOnPurpose(): SshjobError {
  return new SshjobError('connection-closed', 'The connection was closed.')
}
