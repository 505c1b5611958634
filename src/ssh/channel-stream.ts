import { Duplex } from 'node:stream'
import type { Channel } from './channel.js'
import { isOwnEnd } from './connection.js'

/**
 * A channel as one stream of bytes, for forwardings: its end is EOF, and the other direction stays open until it has
 * ended as well. Destroying it closes the channel. When the connection fails it is destroyed with the cause, after
 * what had arrived was read; when the connection is closed at this end, it is destroyed without one.
 */
export class ChannelStream extends Duplex {
  readonly #channel: Channel

  constructor(channel: Channel) {
    super({ allowHalfOpen: true })
    this.#channel = channel
    const { input } = channel
    channel.inputExtended.resume()
    input.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) input.pause()
    })
    input.on('end', () => this.push(null))
    input.on('error', (error) => this.#giveUp(error))
    input.pause()
    void channel.closed.then((cause) => {
      // Nothing can be sent any more, and what the other side sent may still be unread. Where a failure of the
      // connection comes before its EOF, there is no end: the input fails, behind what it has.
      if (this.readableEnded) this.#giveUp(cause)
      else this.once('end', () => this.#giveUp(cause))
    })
  }

  #giveUp(cause: Error | undefined): void {
    this.destroy(isOwnEnd(cause) ? undefined : cause)
  }

  override _read(): void {
    this.#channel.input.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.output.write(chunk, (error) => {
      if (!error) return done()
      // Only the channel's end says whose doing it was.
      void this.#channel.closed.then((cause) => (isOwnEnd(cause) ? this.destroy() : done(error)))
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#channel.isClosed) done()
    else this.#channel.output.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#channel.close()
    this.#channel.input.destroy()
    done(error)
  }
}
