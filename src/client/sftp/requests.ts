import { SshjobError } from '../../core/errors.js'
import { SFTP_ANSWER_MAX, SFTP_DATA_DEFAULT, SFTP_DATA_MAX } from '../../core/limits.js'
import type { Channel } from '../../ssh/channel.js'
import { FX, FXP, makePacket, PacketSplitter, SFTP_VERSION } from '../../ssh/sftp-protocol.js'
import { type Reader, string, uint32 } from '../../ssh/wire.js'

export interface Answer {
  type: number
  data: Reader
}

/** A request that the server has answered with a failure. */
export class StatusError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export function brokenProtocol(cause: unknown): SshjobError {
  return new SshjobError('protocol-error', 'The server breaks the file transfer protocol.', { cause })
}

interface Waiting {
  resolve: (answer: Answer) => void
  reject: (error: Error) => void
}

/** Requests and answers of one SFTP channel; any number of them at a time. */
export class SftpRequests {
  /** The most that one READ or WRITE carries here. */
  dataMax = SFTP_DATA_DEFAULT
  readonly #channel: Channel
  readonly #splitter = new PacketSplitter(SFTP_ANSWER_MAX)
  readonly #waiting = new Map<number, Waiting>()
  #version: Waiting | undefined
  #extensions = new Map<string, string>()
  #nextId = 0
  #over: Error | undefined

  private constructor(channel: Channel) {
    this.#channel = channel
    channel.input.on('data', (chunk: Buffer) => this.#receive(chunk))
    // What it says of itself on stderr is for its log.
    channel.inputExtended.resume()
    channel.output.on('error', () => undefined) // `closed` says why
    void channel.closed.then((cause) =>
      this.#end(cause ?? new SshjobError('connection-closed', 'The server has closed the file transfer.')),
    )
  }

  /** @throws SshjobError 'request-refused', or why the connection has ended */
  static async start(channel: Channel): Promise<SftpRequests> {
    const requests = new SftpRequests(channel)
    const version = new Promise<Answer>((resolve, reject) => {
      requests.#version = { resolve, reject }
    })
    version.catch(() => undefined)
    // At once, without waiting for the answer to the request: a round trip less.
    const started = channel.request('subsystem', string('sftp'))
    channel.output.write(makePacket(FXP.INIT, uint32(SFTP_VERSION)))
    if (!(await started)) {
      if (channel.isClosed) await version // it says why
      channel.close()
      throw new SshjobError('request-refused', 'This job offers no file transfer.')
    }
    try {
      const { data } = await version
      data.uint32() // 3, or a server that is meant for others: version 3 is what it was told
      while (data.remaining > 0) requests.#extensions.set(data.text(), data.text())
      await requests.#askLimits()
      return requests
    } catch (error) {
      channel.close() // the next call opens another
      throw error
    }
  }

  has(extension: string): boolean {
    return this.#extensions.has(extension)
  }

  /** @throws StatusError for every STATUS but OK; the cause of the channel's end */
  async ask(type: number, ...parts: readonly Buffer[]): Promise<Answer> {
    const answer = await this.#send(type, parts)
    if (answer.type !== FXP.STATUS) return answer
    const status = answer.data.uint32()
    if (status !== FX.OK) throw new StatusError(status, answer.data.remaining > 0 ? answer.data.text() : '')
    return answer
  }

  #send(type: number, parts: readonly Buffer[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over)
      while (this.#waiting.has(this.#nextId)) this.#nextId = (this.#nextId + 1) % 2 ** 32
      const id = this.#nextId
      this.#nextId = (this.#nextId + 1) % 2 ** 32
      this.#waiting.set(id, { resolve, reject })
      this.#channel.output.write(makePacket(type, uint32(id), ...parts))
    })
  }

  async #askLimits(): Promise<void> {
    if (!this.has('limits@openssh.com')) return
    const { data } = await this.ask(FXP.EXTENDED, string('limits@openssh.com'))
    data.uint64()
    const most = [Number(data.uint64()), Number(data.uint64())].filter((limit) => limit > 0)
    this.dataMax = Math.min(SFTP_DATA_MAX, ...most)
  }

  #receive(chunk: Buffer): void {
    try {
      this.#splitter.add(chunk)
      for (let packet = this.#splitter.take(); packet !== undefined; packet = this.#splitter.take()) {
        const type = packet.byte()
        const waiting = type === FXP.VERSION ? this.#version : this.#takeWaiting(packet.uint32())
        if (waiting === undefined) throw new RangeError('an answer to nothing that was asked')
        waiting.resolve({ type, data: packet })
      }
    } catch (cause) {
      this.#end(brokenProtocol(cause))
      this.#channel.close()
    }
  }

  #takeWaiting(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  #end(cause: Error): void {
    this.#over ??= cause
    this.#version?.reject(this.#over)
    for (const { reject } of this.#waiting.values()) reject(this.#over)
    this.#waiting.clear()
  }
}
