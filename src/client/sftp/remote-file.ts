import { SshjobError } from '../../core/errors.js'
import { SFTP_WINDOW_BYTES } from '../../core/limits.js'
import { type Attributes, encodeAttributes, FX, FXP } from '../../ssh/sftp-protocol.js'
import { string, uint32, uint64 } from '../../ssh/wire.js'
import { decodeStats } from './attributes.js'
import { type Answer, type SftpRequests, StatusError } from './requests.js'
import type { FileStats } from './types.js'

const EMPTY = Buffer.alloc(0)

/** An open file of the job. Its reads and writes keep many requests in flight, so that a long path is filled. */
export class RemoteFile {
  readonly #requests: SftpRequests
  readonly #handle: Buffer
  #inFlight = 0
  #failure: unknown
  /** The offset of the first write, in the order of the file, that has failed. */
  #failedAt: number | undefined
  #wake: (() => void) | undefined

  private constructor(requests: SftpRequests, handle: Buffer) {
    this.#requests = requests
    this.#handle = string(handle)
  }

  /** `flags` as FXF has them. */
  static async open(
    requests: SftpRequests,
    path: Buffer,
    flags: number,
    attributes: Attributes = {},
  ): Promise<RemoteFile> {
    const parts = [string(path), uint32(flags), encodeAttributes(attributes)]
    const { type, data } = await requests.ask(FXP.OPEN, ...parts)
    if (type !== FXP.HANDLE) throw unexpected()
    return new RemoteFile(requests, Buffer.from(data.string()))
  }

  async stat(): Promise<FileStats> {
    return decodeStats((await this.#requests.ask(FXP.FSTAT, this.#handle)).data)
  }

  async setAttributes(attributes: Attributes): Promise<void> {
    await this.#requests.ask(FXP.FSETSTAT, this.#handle, encodeAttributes(attributes))
  }

  /** Never sooner than its reads and writes are answered. */
  async close(): Promise<void> {
    await this.#requests.ask(FXP.CLOSE, this.#handle)
  }

  /**
   * The bytes in their order. `expected` is where the file is thought to end: up to there many pieces are asked for at
   * once, behind it one by one, since a file may have grown, and those in /proc say that they are empty.
   */
  async *read(start: number, end: number, expected: number): AsyncGenerator<Buffer> {
    const size = this.#requests.dataMax
    const most = Math.max(1, Math.floor(SFTP_WINDOW_BYTES / size))
    const pieces: { length: number; data: Promise<Buffer> }[] = []
    let next = start
    for (;;) {
      while (next < end && (pieces.length === 0 || (next < expected && pieces.length < most))) {
        const length = Math.min(size, end - next)
        const data = this.#readPiece(next, length)
        data.catch(() => undefined) // whoever stops reading early hears of no failure
        pieces.push({ length, data })
        next += length
      }
      const piece = pieces.shift()
      if (piece === undefined) return
      const data = await piece.data
      if (data.length > 0) yield data
      if (data.length < piece.length) return
    }
  }

  /** A server may give less than was asked for: shorter than `length` is then the end of the file. */
  async #readPiece(offset: number, length: number): Promise<Buffer> {
    let data = await this.#readOnce(offset, length)
    while (data.length > 0 && data.length < length) {
      const more = await this.#readOnce(offset + data.length, length - data.length)
      if (more.length === 0) break
      data = Buffer.concat([data, more])
    }
    return data
  }

  async #readOnce(offset: number, length: number): Promise<Buffer> {
    let answer: Answer
    try {
      answer = await this.#requests.ask(FXP.READ, this.#handle, uint64(offset), uint32(length))
    } catch (error) {
      if (error instanceof StatusError && error.status === FX.EOF) return EMPTY
      throw error
    }
    if (answer.type !== FXP.DATA) throw unexpected()
    const data = answer.data.string()
    if (data.length > length) throw unexpected()
    return data
  }

  /**
   * Sends bytes for an offset, and resolves when there is room for more, which is before they are written.
   * @throws what an earlier write, or `written`, has failed with
   */
  async write(data: Buffer, offset: number, written: (bytes: number) => void): Promise<void> {
    for (let at = 0; at < data.length; at += this.#requests.dataMax) {
      const piece = data.subarray(at, at + this.#requests.dataMax)
      while (this.#inFlight > 0 && this.#inFlight + piece.length > SFTP_WINDOW_BYTES) await this.#answered()
      if (this.#failure !== undefined) throw this.#failure
      this.#inFlight += piece.length
      this.#requests
        // Its length and its bytes apart: string() would copy them once more.
        .ask(FXP.WRITE, this.#handle, uint64(offset + at), uint32(piece.length), piece)
        .then(() => written(piece.length))
        .catch((error: unknown) => {
          this.#failure ??= error
          this.#failedAt = Math.min(this.#failedAt ?? Number.POSITIVE_INFINITY, offset + at)
        })
        .finally(() => {
          this.#inFlight -= piece.length
          this.#wake?.()
        })
    }
  }

  /** Resolves when all that was sent is written. @throws what the first write has failed with */
  async flush(): Promise<void> {
    while (this.#inFlight > 0) await this.#answered()
    if (this.#failure !== undefined) throw this.#failure
  }

  /**
   * After a write that has failed: others behind it may have been done, on a disk that was full in between. Cuts the
   * file off in front of it, so that what is there is a beginning.
   */
  async cutOff(): Promise<void> {
    while (this.#inFlight > 0) await this.#answered()
    if (this.#failedAt !== undefined) await this.setAttributes({ size: BigInt(this.#failedAt) })
  }

  /** One caller at a time: a transfer has one writer. */
  #answered(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

/** Closes what has a close() after the work; where both fail, the work's failure is the one that counts. */
export async function thenClose(file: { close(): Promise<void> }, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
  await file.close()
}

function unexpected(): SshjobError {
  return new SshjobError('protocol-error', 'The server gave an answer that does not belong to the question.')
}
