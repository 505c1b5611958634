import { Duplex, type Readable, type Writable } from 'node:stream'
import { SshjobError } from '../core/errors.js'
import { STREAM_BUFFER } from '../core/limits.js'

type Done = (error?: Error | null) => void

/**
 * One stream over a readable and a writable one, which it owns. Half-close both ways; a failure of either, or one
 * that closes before its end, destroys both. (Duplex.from() is not used: it ends the whole with either half.)
 */
export class JoinedStream extends Duplex {
  readonly #readable: Readable
  readonly #writable: Writable

  constructor(readable: Readable, writable: Writable) {
    super({ highWaterMark: STREAM_BUFFER })
    this.#readable = readable
    this.#writable = writable
    readable.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) readable.pause()
    })
    readable.on('end', () => this.afterLastByte((reason) => this.#endReading(reason)))
    readable.on('error', (error) => this.destroy(error))
    readable.on('close', () => {
      if (!readable.readableEnded) this.destroy(closed())
    })
    writable.on('error', (error) => this.afterLastByte((reason) => this.destroy(reason ?? error)))
    writable.on('close', () => {
      if (!writable.writableFinished) this.afterLastByte((reason) => this.destroy(reason ?? closed()))
    })
    readable.pause()
  }

  /** Called where one half has ended or failed; what follows may wait for a better reason, if there is one. */
  protected afterLastByte(then: (reason?: Error) => void): void {
    then()
  }

  #endReading(reason: Error | undefined): void {
    if (reason !== undefined) this.destroy(reason)
    else if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#readable.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#writable.write(chunk, (error) => {
      if (error) this.afterLastByte((reason) => done(reason ?? error))
      else done()
    })
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    // Corked, so that what has queued up goes out in one system call.
    this.#writable.cork()
    const last = chunks.length - 1
    chunks.forEach(({ chunk, encoding }, index) => {
      if (index === last) this._write(chunk, encoding, done)
      else this.#writable.write(chunk)
    })
    this.#writable.uncork()
  }

  override _final(done: Done): void {
    this.#writable.end(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#readable.destroy()
    this.#writable.destroy()
    done(error)
  }
}

function closed(): SshjobError {
  return new SshjobError('connection-lost', 'The stream was closed in the middle.')
}
