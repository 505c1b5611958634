import { SshjobError } from '../core/errors.js'
import { MAX_CHANNELS, PACKET_MAX, WINDOW_INITIAL } from '../core/limits.js'
import { Channel } from './channel.js'
import type { Transport } from './transport.js'
import { boolean, byte, MSG, OPEN_FAILURE, Reader, string, uint32 } from './wire.js'

/** A peer's wish to open a channel, answered at once: the channel's owner, or why not. */
export type OpenAnswer = { accept: (channel: Channel) => void } | { refuse: number; message: string }

export interface ConnectionHandlers {
  onChannelOpen(type: string, data: Reader): OpenAnswer
  /** Returns whether it was done, or the data of the success. */
  onGlobalRequest(name: string, data: Reader): boolean | Buffer
}

/** The connection protocol, RFC 4254: channels and global requests, the same for both ends. */
export class Connection {
  readonly #transport: Transport
  readonly #handlers: ConnectionHandlers
  readonly #channels = new Map<number, Channel>()
  readonly #opening = new Map<number, { resolve: (c: Channel) => void; reject: (e: SshjobError) => void }>()
  readonly #replies: ((answer: Buffer | undefined) => void)[] = []
  #nextId = 0
  #over: SshjobError | undefined

  constructor(transport: Transport, handlers: ConnectionHandlers) {
    this.#transport = transport
    this.#handlers = handlers
  }

  get channels(): ReadonlyMap<number, Channel> {
    return this.#channels
  }

  /**
   * Opens a channel.
   * @throws SshjobError 'channel-refused' with what the peer said; the cause of the connection's end, if it ends first
   */
  open(type: string, ...data: Buffer[]): Promise<Channel> {
    return new Promise((resolve, reject) => {
      if (this.#transport.closed) return reject(this.#over ?? closedOnPurpose())
      const id = this.#newId()
      this.#opening.set(id, { resolve, reject })
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

  /** Sends a global request; resolves with the data of the success, or undefined for a failure. */
  request(name: string, ...data: Buffer[]): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      if (this.#transport.closed) return resolve(undefined)
      this.#replies.push(resolve)
      this.#transport.send(byte(MSG.GLOBAL_REQUEST), string(name), boolean(true), ...data)
    })
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
    if (channel === undefined) throw new RangeError(`there is no channel ${id}`)
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
  }

  #newId(): number {
    while (this.#channels.has(this.#nextId) || this.#opening.has(this.#nextId)) this.#nextId++
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) % 0x7f_ff_ff_ff
    return id
  }

  #addChannel(id: number, peer: { id: number; window: number; packetMax: number }): Channel {
    const channel = new Channel(id, peer, this.#transport, () => this.#channels.delete(id))
    this.#channels.set(id, channel)
    return channel
  }

  #receiveGlobalRequest(data: Reader): void {
    const name = data.text()
    const wantReply = data.boolean()
    const answer = this.#handlers.onGlobalRequest(name, data)
    if (!wantReply) return
    if (answer === false) this.#transport.send(byte(MSG.REQUEST_FAILURE))
    else this.#transport.send(byte(MSG.REQUEST_SUCCESS), ...(answer === true ? [] : [answer]))
  }

  #receiveOpen(data: Reader): void {
    const type = data.text()
    const peer = { id: data.uint32(), window: data.uint32(), packetMax: data.uint32() }
    const answer: OpenAnswer =
      this.#channels.size >= MAX_CHANNELS
        ? { refuse: OPEN_FAILURE.RESOURCE_SHORTAGE, message: `more than ${MAX_CHANNELS} channels are open` }
        : peer.packetMax === 0
          ? { refuse: OPEN_FAILURE.CONNECT_FAILED, message: 'a packet size of 0 carries nothing' }
          : this.#handlers.onChannelOpen(type, data)
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
    data.uint32() // the reason's number: the sentence says more
    opening.reject(new SshjobError('channel-refused', `The server refused the session: ${data.text()}.`))
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
