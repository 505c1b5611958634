import type { Duplex } from 'node:stream'
import { CLOSE_TIMEOUT_MS, TRANSPORT_BUFFER } from '../core/limits.js'
import { writePacket } from './packet-memory.js'
import { TurnShare } from './turn-share.js'

/**
 * The way out to the stream: packets of one turn of the event loop leave together, whoever has more to send waits until
 * there is room and a turn, and at the end what was said is let out before the stream goes.
 */
export class Outlet {
  readonly #stream: Duplex
  readonly #isHeld: () => boolean
  #corked = false
  #waiting: (() => void)[] = []
  readonly #turn = new TurnShare(() => this.wakeWaiting())

  /** @param isHeld whether packets would be queued now, because keys are being exchanged */
  constructor(stream: Duplex, isHeld: () => boolean) {
    this.#stream = stream
    this.#isHeld = isHeld
  }

  /** True while data should wait: it is the turn of others, the stream is behind, or packets are held. */
  get congested(): boolean {
    return this.#turn.isOver || this.#isHeld() || this.#stream.writableLength > TRANSPORT_BUFFER
  }

  /** To be called for each packet of data. */
  spend(bytes: number): void {
    this.#turn.spend(bytes, 1)
  }

  /** Calls back once, as soon as data may flow; never after end(). */
  whenWritable(callback: () => void): void {
    this.#waiting.push(callback)
    if (!this.congested) queueMicrotask(() => this.wakeWaiting())
  }

  /** To be called when the stream has drained, and when packets are held no longer. */
  wakeWaiting(): void {
    while (this.#waiting.length > 0 && !this.congested) this.#waiting.shift()?.()
  }

  write(packet: Buffer): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return
    // One system call for all packets of this turn of the event loop instead of one each.
    if (!this.#corked) {
      this.#corked = true
      this.#stream.cork()
      process.nextTick(() => this.#uncork())
    }
    writePacket(this.#stream, packet)
  }

  /** Ends the stream, by force if the peer doesn't take what is left. */
  end(): void {
    this.#waiting = []
    this.#turn.stop()
    this.#uncork()
    // What the peer still sends is thrown away, and what we have said is let out, before the stream goes.
    this.#stream.resume()
    if (this.#stream.destroyed) return
    this.#stream.end(() => this.#stream.destroy())
    const giveUp = setTimeout(() => this.#stream.destroy(), CLOSE_TIMEOUT_MS)
    this.#stream.once('close', () => clearTimeout(giveUp))
  }

  #uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.#stream.uncork()
  }
}
