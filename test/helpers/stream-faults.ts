import { Duplex } from 'node:stream'

export interface Faults {
  /** Destroys both sides once this many bytes were read from the inner stream. */
  cutReadAfter?: number
  /** Destroys both sides once this many bytes were written to it. */
  cutWriteAfter?: number
  /** Gives every byte that is read as a chunk of its own. */
  singleBytes?: boolean
  /** Milliseconds that each chunk waits, in both directions. */
  delayMs?: number
}

/** The stream, with faults. */
export function withFaults(inner: Duplex, faults: Faults): Duplex {
  return new FaultyStream(inner, faults)
}

class FaultyStream extends Duplex {
  readonly #inner: Duplex
  readonly #faults: Faults
  #readLeft: number
  #writeLeft: number
  #queue: Promise<void> = Promise.resolve()

  constructor(inner: Duplex, faults: Faults) {
    super()
    this.#inner = inner
    this.#faults = faults
    this.#readLeft = faults.cutReadAfter ?? Number.POSITIVE_INFINITY
    this.#writeLeft = faults.cutWriteAfter ?? Number.POSITIVE_INFINITY
    inner.on('data', (chunk: Buffer) => {
      inner.pause()
      this.#later(() => this.#give(chunk))
    })
    inner.on('end', () => this.#later(() => this.push(null)))
    inner.on('error', (error) => this.destroy(error))
    inner.on('close', () => {
      if (!inner.readableEnded) this.destroy()
    })
    inner.pause()
  }

  #later(work: () => void): void {
    const { delayMs } = this.#faults
    this.#queue = this.#queue.then(async () => {
      if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs))
      if (!this.destroyed) work()
    })
  }

  #give(chunk: Buffer): void {
    const part = chunk.subarray(0, this.#readLeft)
    this.#readLeft -= part.length
    let more = true
    const size = this.#faults.singleBytes ? 1 : Math.max(1, part.length)
    for (let at = 0; at < part.length; at += size) more = this.push(part.subarray(at, at + size))
    if (this.#readLeft === 0) this.destroy()
    else if (more) this.#inner.resume()
  }

  override _read(): void {
    this.#inner.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#later(() => {
      const part = chunk.subarray(0, this.#writeLeft)
      this.#writeLeft -= part.length
      this.#inner.write(part, (error) => {
        done(error)
        if (this.#writeLeft === 0) this.destroy()
      })
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#later(() => this.#inner.end(done))
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy()
    done(error)
  }
}
