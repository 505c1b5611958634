import { SFTP_HANDLES_MAX } from '../../core/limits.js'
import type { FileCalls, OpenedDirectory, OpenedFile } from '../../job/file-calls.js'
import { FX } from '../../ssh/sftp-protocol.js'
import { uint32 } from '../../ssh/wire.js'
import { SftpFailure } from './failure.js'

export interface OpenFile extends OpenedFile {
  /** Opened with APPEND: every write goes to the end, whatever its offset. */
  readonly append: boolean
  /** Where the writes that are in work end; undefined when there are none. */
  writesEnd: number | undefined
  writes: number
}

export interface OpenFolder extends OpenedDirectory {
  /** '.' and '..' have been listed. */
  started: boolean
}

const HANDLE_BYTES = 4

/** What a channel has open. A handle's number is not given out again, so that a stale one never means another file. */
export class Handles {
  readonly #calls: FileCalls
  readonly #files = new Map<number, OpenFile>()
  readonly #folders = new Map<number, OpenFolder>()
  #next = 0

  constructor(calls: FileCalls) {
    this.#calls = calls
  }

  get size(): number {
    return this.#files.size + this.#folders.size
  }

  /** @throws SftpFailure when this channel has too much open */
  checkRoom(): void {
    if (this.size < SFTP_HANDLES_MAX) return
    throw new SftpFailure(FX.FAILURE, `${SFTP_HANDLES_MAX} files are open: close some first`)
  }

  addFile(file: OpenedFile, append: boolean): Buffer {
    const id = this.#newId()
    this.#files.set(id, { ...file, append, writesEnd: undefined, writes: 0 })
    return uint32(id)
  }

  addFolder(directory: OpenedDirectory): Buffer {
    const id = this.#newId()
    this.#folders.set(id, { ...directory, started: false })
    return uint32(id)
  }

  /** Undefined where this handle is not open, or a folder's. */
  file(handle: Buffer): OpenFile | undefined {
    const id = idOf(handle)
    return id === undefined ? undefined : this.#files.get(id)
  }

  folder(handle: Buffer): OpenFolder | undefined {
    const id = idOf(handle)
    return id === undefined ? undefined : this.#folders.get(id)
  }

  /** @throws SftpFailure for a handle that is not open; the error of close(2) */
  async close(handle: Buffer): Promise<void> {
    const id = idOf(handle)
    const file = id === undefined ? undefined : this.#files.get(id)
    const folder = id === undefined ? undefined : this.#folders.get(id)
    // Forgotten first: after a close that failed, the descriptor is gone all the same, close(2).
    if (id !== undefined) {
      this.#files.delete(id)
      this.#folders.delete(id)
    }
    if (file !== undefined) await this.#calls.close(file)
    else if (folder !== undefined) await this.#calls.closeDirectory(folder)
    // As sftp-server answers: its close of a handle that it doesn't know fails with ENOENT.
    else throw new SftpFailure(FX.NO_SUCH_FILE, 'No such handle')
  }

  /** Closes everything. Nothing may be in work any more. What does not answer is closed when it does. */
  async closeAll(): Promise<void> {
    const files = [...this.#files.values()].map((file) => this.#calls.close(file))
    const folders = [...this.#folders.values()].map((folder) => this.#calls.closeDirectory(folder))
    this.#files.clear()
    this.#folders.clear()
    await Promise.allSettled([...files, ...folders])
  }

  #newId(): number {
    while (this.#files.has(this.#next) || this.#folders.has(this.#next)) this.#advance()
    const id = this.#next
    this.#advance()
    return id
  }

  #advance(): void {
    this.#next = (this.#next + 1) % 2 ** 32
  }
}

function idOf(handle: Buffer): number | undefined {
  return handle.length === HANDLE_BYTES ? handle.readUInt32BE() : undefined
}
