import type { Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type BlockingCalls, ownCalls } from '../../core/blocking-calls.js'
import type { LocalPath } from './types.js'

/** The absolute path of a file here. */
export function absolutePath(local: LocalPath): Buffer {
  const bytes = typeof local === 'string' ? Buffer.from(local) : local
  return bytes[0] === SLASH ? bytes : Buffer.concat([Buffer.from(`${process.cwd()}/`), bytes])
}

const SLASH = 0x2f

/**
 * An open file here. A file system that does not answer keeps none of these waiting for ever.
 * @throws each SshjobError 'not-answering', and the system's errors
 */
export class LocalFile {
  readonly #handle: FileHandle
  readonly #path: Buffer
  readonly #calls: BlockingCalls

  private constructor(handle: FileHandle, path: Buffer, calls: BlockingCalls) {
    this.#handle = handle
    this.#path = path
    this.#calls = calls
  }

  static async open(local: LocalPath, flags: number, mode?: number, calls = ownCalls()): Promise<LocalFile> {
    const name = absolutePath(local)
    const undo = (late: FileHandle): void => void late.close()
    return new LocalFile(await calls.file(name, () => open(name, flags, mode), { undo }), name, calls)
  }

  stat(): Promise<Stats> {
    return this.#call(() => this.#handle.stat())
  }

  /** Reads up to the buffer's length; gives what was read. */
  async read(buffer: Buffer, position: number): Promise<Buffer> {
    const { bytesRead } = await this.#call(() => this.#handle.read(buffer, 0, buffer.length, position))
    return buffer.subarray(0, bytesRead)
  }

  /** Writes all of it. @param position null where the file is none: a FIFO or a device takes what comes */
  async write(data: Buffer, position: number | null): Promise<void> {
    for (let at = 0; at < data.length; ) {
      const to = position === null ? null : position + at
      const { bytesWritten } = await this.#call(() => this.#handle.write(data, at, data.length - at, to))
      at += bytesWritten
    }
  }

  truncate(length: number): Promise<void> {
    return this.#call(() => this.#handle.truncate(length))
  }

  chmod(mode: number): Promise<void> {
    return this.#call(() => this.#handle.chmod(mode))
  }

  utimes(accessed: Date, modified: Date): Promise<void> {
    return this.#call(() => this.#handle.utimes(accessed, modified))
  }

  close(): Promise<void> {
    return this.#call(() => this.#handle.close(), true)
  }

  #call<T>(call: () => Promise<T>, certain = false): Promise<T> {
    return this.#calls.file(this.#path, call, { open: `/proc/self/fd/${this.#handle.fd}`, certain })
  }
}
