import { Duplex } from 'node:stream'
import { STREAM_BUFFER } from '../core/limits.js'

/**
 * Two connected streams within the process, with the manners of a socket pair: back-pressure, half-close, and
 * whoever writes to an end that was destroyed gets EPIPE. Bytes are copied on their way, so that a reader who
 * changes them in place (ssh2's native binding decrypts so) doesn't change the writer's.
 */
export function streamPair(): [Duplex, Duplex] {
  const a = new MemoryEnd()
  const b = new MemoryEnd()
  a.join(b)
  b.join(a)
  return [a, b]
}

class MemoryEnd extends Duplex {
  #peer: MemoryEnd | undefined
  /** Room in our buffer: at first there is, also before anybody reads, as in the kernel's. */
  #wanted = true
  #waiting: { chunk: Buffer; done: (error?: Error | null) => void } | undefined

  constructor() {
    super({ highWaterMark: STREAM_BUFFER })
  }

  join(peer: MemoryEnd): void {
    this.#peer = peer
  }

  override _read(): void {
    this.#wanted = true
    this.#peer?.deliver()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#peer === undefined || this.#peer.destroyed) return done(brokenPipe())
    this.#waiting = { chunk: Buffer.from(chunk), done }
    // Later, as a socket does it: the reader's code never runs inside of the writer's call.
    process.nextTick(() => this.deliver())
  }

  override _final(done: (error?: Error | null) => void): void {
    process.nextTick(() => {
      this.#peer?.hearEnd()
      done()
    })
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.done(error ?? brokenPipe())
    process.nextTick(() => this.#peer?.hearDestroyed())
    done(error)
  }

  /** Hands the chunk that waits to the peer, if the peer wants one. */
  deliver(): void {
    const waiting = this.#waiting
    const peer = this.#peer
    if (waiting === undefined || peer === undefined || !peer.#wanted) return
    this.#waiting = undefined
    peer.#wanted = peer.push(waiting.chunk)
    waiting.done()
  }

  /** The peer will write no more. */
  hearEnd(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null)
  }

  /** The peer is gone: its end comes after what it delivered, and what we still write fails. */
  hearDestroyed(): void {
    this.hearEnd()
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.done(brokenPipe())
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })
}
