import type { Readable } from 'node:stream'

const EMPTY = Buffer.alloc(0)

export interface HandshakeLimits {
  /** Bytes that the peer may say before it has said what is waited for. */
  maxBytes: number
  /** Milliseconds that it may take in all. */
  timeoutMs: number
}

/**
 * What the peer of a stream says before the data; what it has said too early stays for the data. What `take` and
 * `takeText` throw says that it was too long, too slow, or gone in the middle.
 */
export class Handshake {
  readonly #stream: Readable
  readonly #maxBytes: number
  #buffer: Buffer = EMPTY
  #taken = 0
  #over = false
  #wake: () => void = () => undefined
  readonly #timer: NodeJS.Timeout
  readonly #onReadable = (): void => this.#wake()
  readonly #onEnd = (): void => {
    this.#over = true
    this.#wake()
  }

  constructor(stream: Readable, { maxBytes, timeoutMs }: HandshakeLimits) {
    this.#stream = stream
    this.#maxBytes = maxBytes
    this.#timer = setTimeout(this.#onEnd, timeoutMs)
    stream.on('readable', this.#onReadable).on('end', this.#onEnd).on('close', this.#onEnd)
  }

  async take(count: number): Promise<Buffer> {
    await this.#until(() => this.#buffer.length >= count)
    return this.#cut(count)
  }

  /** Up to a NUL byte. */
  async takeText(): Promise<string> {
    await this.#until(() => this.#buffer.includes(0))
    const text = this.#cut(this.#buffer.indexOf(0)).toString('utf8')
    this.#cut(1)
    return text
  }

  release(): void {
    clearTimeout(this.#timer)
    const stream = this.#stream
    stream.off('readable', this.#onReadable).off('end', this.#onEnd).off('close', this.#onEnd)
    if (this.#buffer.length > 0 && !stream.destroyed) stream.unshift(this.#buffer)
    this.#buffer = EMPTY
  }

  #cut(count: number): Buffer {
    const part = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    this.#taken += count
    return part
  }

  async #until(enough: () => boolean): Promise<void> {
    for (;;) {
      // All that there is: without that, 'readable' is not said again.
      for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) {
        this.#buffer = Buffer.concat([this.#buffer, chunk])
      }
      if (enough()) return
      if (this.#over) throw new Error('the client has gone')
      if (this.#taken + this.#buffer.length > this.#maxBytes) throw new Error('the client says too much')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #read(): Buffer | undefined {
    const chunk: unknown = this.#stream.read()
    return Buffer.isBuffer(chunk) ? chunk : undefined
  }
}
