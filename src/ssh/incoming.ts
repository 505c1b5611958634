import { Readable } from 'node:stream'
import type { SshjobError } from '../core/errors.js'

const EMPTY = Buffer.alloc(0)
const BLOCK_BYTES = 64 * 1024

/** What the peer sends on one stream of a channel. Its owner counts unread bytes against the peer's window. */
export class Incoming extends Readable {
  readonly #consumed: () => void
  readonly #backlog = new Backlog()
  #wanted = false
  #over = false
  #cause: SshjobError | undefined

  /** `consumed` is called when something has been read, and when nobody will read any more. */
  constructor(consumed: () => void) {
    // Node.js itself holds one chunk; what waits behind it is in the backlog, where it costs no more than its bytes.
    super({ highWaterMark: 1 })
    this.#consumed = consumed
    // A failed connection is reported by `closed` of the channel as well: nobody has to listen here.
    this.on('error', () => undefined)
  }

  get unread(): number {
    return this.destroyed ? 0 : this.readableLength + this.#backlog.length
  }

  receive(data: Buffer): void {
    if (this.#over || this.destroyed) return
    if (this.#wanted && this.#backlog.length === 0) this.#wanted = this.push(data)
    else this.#backlog.add(data)
  }

  /** The end, or the failure of the connection: either way what has arrived is delivered first. */
  finish(cause?: SshjobError): void {
    if (this.#over) return
    this.#over = true
    this.#cause = cause
    if (this.#backlog.length === 0) this.push(cause === undefined ? null : EMPTY)
  }

  override _read(): void {
    const block = this.#backlog.take()
    if (block !== undefined) {
      this.#wanted = this.push(block)
      this.#consumed()
    } else if (!this.#over) {
      this.#wanted = true
      this.#consumed()
    } else if (this.#cause === undefined) this.push(null)
    else if (this.readableLength === 0) this.destroy(this.#cause)
    else this.push(EMPTY) // makes Node.js ask again once what it holds has been read
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#backlog.clear()
    done(error)
    if (!this.#over) this.#consumed()
  }
}

/**
 * Bytes in blocks. A peer may send its window in packets of one byte, and a packet may be a slice of a much larger
 * chunk of the network's: kept as they came, they would hold a hundred times the memory that the window allows.
 */
class Backlog {
  length = 0
  readonly #full: Buffer[] = []
  #last = EMPTY
  /** Where the unread part of the last block begins and ends. */
  #start = 0
  #end = 0

  add(data: Buffer): void {
    this.length += data.length
    for (let at = 0; at < data.length; ) {
      if (this.#end === this.#last.length) this.#addBlock()
      const count = data.copy(this.#last, this.#end, at)
      this.#end += count
      at += count
    }
  }

  take(): Buffer | undefined {
    if (this.length === 0) return undefined
    let block = this.#full.shift()
    if (block === undefined) {
      block = this.#last.subarray(this.#start, this.#end)
      this.#start = this.#end
    }
    this.length -= block.length
    return block
  }

  clear(): void {
    this.length = 0
    this.#full.length = 0
    this.#last = EMPTY
    this.#start = 0
    this.#end = 0
  }

  #addBlock(): void {
    if (this.#start < this.#end) this.#full.push(this.#last.subarray(this.#start, this.#end))
    this.#last = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    this.#start = 0
    this.#end = 0
  }
}
