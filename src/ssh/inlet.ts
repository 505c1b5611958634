import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PACKET_COST, TRANSPORT_BUFFER_MAX, TURN_BYTES, TURN_PIECE_BYTES } from '../core/limits.js'
import { TurnShare } from './turn-share.js'

/**
 * The way in from the stream: what arrives is handed on, as much as one turn of the event loop is for. Nothing is read
 * from a peer that asks and doesn't take the answers, which would fill our memory. Channel data stops far below that
 * limit, so two ends that both behave never wait for each other here.
 */
export class Inlet {
  readonly #stream: Duplex
  readonly #handle: (bytes: Buffer) => void
  /** Sockets give each chunk away; any other stream may keep what it delivered, and ssh2 decrypts in place. */
  readonly #ownsChunks: boolean
  readonly #turn = new TurnShare(() => this.#goOn())
  #rest: Buffer | undefined
  #packets = 0
  /** Many packets of few bytes come: all of a piece are handled in one go. */
  #inPieces = false
  #isOpen = false

  constructor(stream: Duplex, handle: (bytes: Buffer) => void) {
    this.#stream = stream
    this.#handle = handle
    this.#ownsChunks = stream instanceof Socket
  }

  open(): void {
    this.#isOpen = true
    this.#stream.on('data', this.#onData).on('drain', this.#onDrain)
  }

  /** What still comes is not handed on. */
  close(): void {
    this.#isOpen = false
    this.#rest = undefined
    this.#turn.stop()
    this.#stream.off('data', this.#onData).off('drain', this.#onDrain)
  }

  /** To be called for each packet. */
  count(): void {
    this.#packets += 1
  }

  readonly #onData = (chunk: Buffer): void => {
    const bytes = this.#ownsChunks ? chunk : Buffer.from(chunk)
    // Something is left where somebody else has resumed the stream.
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes])
    this.#goOn()
  }

  readonly #onDrain = (): void => this.#goOn()

  #goOn(): void {
    while (this.#rest !== undefined && !this.#turn.isOver) this.#take(this.#rest)
    if (!this.#isOpen) return
    if (this.#turn.isOver || this.#stream.writableLength > TRANSPORT_BUFFER_MAX) this.#stream.pause()
    else if (this.#stream.isPaused()) this.#stream.resume()
  }

  #take(rest: Buffer): void {
    const size = this.#inPieces ? TURN_PIECE_BYTES : TURN_BYTES
    const piece = rest.subarray(0, size)
    this.#rest = rest.length > size ? rest.subarray(size) : undefined
    this.#packets = 0
    this.#handle(piece)
    if (!this.#isOpen) return
    this.#turn.spend(piece.length, this.#packets)
    this.#inPieces = this.#packets * PACKET_COST > piece.length
  }
}
