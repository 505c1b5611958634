import type { Readable, Writable } from 'node:stream'
import { deferred } from '../../core/deferred.js'
import { EXIT_FAILURE } from '../../core/exit-failure.js'
import { SFTP_PACKET_MAX, SFTP_REQUEST_COST } from '../../core/limits.js'
import type { Logger } from '../../core/log.js'
import type { JobFiles } from '../../job/inside.js'
import { FX, FXP, makePacket, PacketSplitter, SFTP_VERSION } from '../../ssh/sftp-protocol.js'
import { type Reader, string, uint32 } from '../../ssh/wire.js'
import { type Accounts, readAccounts } from './accounts.js'
import { statusAnswer } from './answers.js'
import type { Operation, SftpContext } from './context.js'
import { type DataRequest, decodeData, moveData } from './data.js'
import { EXTENSIONS, runExtension } from './extensions.js'
import { status, statusOf } from './failure.js'
import { Handles, type OpenFile } from './handles.js'
import { OPERATIONS } from './operations.js'
import type { SftpConnection } from './sftp-connection.js'

/** The exit status for a packet that is too long, as sftp-server(8) ends. */
const EXIT_OVERSIZED = 11

export interface SftpSession {
  /** Resolves with the exit status when the client has asked for no more and has been answered, or broke the rules. */
  readonly ended: Promise<number>
  /** Nobody waits any more: stops, and resolves when nothing is in work and everything is closed. */
  terminate(): Promise<void>
}

export interface SftpOptions {
  files: JobFiles
  /** What this channel shares with others of its connection. */
  connection: SftpConnection
  log: Logger
}

/** Serves SFTP on two streams of bytes. */
export function serveSftp(input: Readable, output: Writable, options: SftpOptions): SftpSession {
  return new SftpServer(input, output, options)
}

/** A request that has been taken off the wire. */
interface Request {
  id: number
  /** What it holds of the memory that is allowed, until its answer has been let out. */
  cost: number
  work: DataRequest | { kind: 'alone'; run: () => Promise<Buffer> }
}

/**
 * Takes requests in their order. Reads are in work side by side, and so are writes that follow one another; everything
 * else waits for those before it and is waited for, so that the result is that of doing one after the other (§4).
 */
class SftpServer implements SftpSession {
  readonly ended: Promise<number>
  readonly #input: Readable
  readonly #output: Writable
  readonly #connection: SftpConnection
  readonly #log: Logger
  readonly #context: SftpContext
  readonly #handles: Handles
  readonly #splitter = new PacketSplitter(SFTP_PACKET_MAX)
  readonly #ending = deferred<number>()
  #begun = false
  #next: Request | undefined
  #inWork = 0
  #kind: Request['work']['kind'] | undefined
  #held = 0
  /** Answers in the order of their requests; undefined while in work. */
  readonly #answers: { cost: number; answer: Buffer | undefined }[] = []
  #inputEnded = false
  #exitCode: number | undefined
  #closed: Promise<void> | undefined

  constructor(input: Readable, output: Writable, { files, connection, log }: SftpOptions) {
    this.#input = input
    this.#output = output
    this.#log = log
    this.#connection = connection
    this.ended = this.#ending.promise
    void this.ended.then(connection.enter())
    let accounts: Promise<Accounts> | undefined
    const { calls } = files
    this.#handles = new Handles(calls)
    this.#context = {
      files,
      calls,
      handles: this.#handles,
      accounts: () => {
        accounts ??= readAccounts(calls)
        return accounts
      },
      isOver: () => this.#exitCode !== undefined,
    }
    input.on('data', (chunk: Buffer) => {
      if (this.#exitCode !== undefined) return
      this.#splitter.add(chunk)
      this.#advance()
    })
    input.on('end', () => {
      this.#inputEnded = true
      this.#advance()
    })
    // Without an end, the client has gone.
    input.on('close', () => {
      if (!this.#inputEnded) this.#stop(EXIT_FAILURE)
    })
    output.on('close', () => this.#stop(EXIT_FAILURE))
    input.on('error', (error) => log.debug({ err: error }, 'the client sends no more'))
    output.on('error', (error) => log.debug({ err: error }, 'nobody takes the answers any more'))
  }

  async terminate(): Promise<void> {
    this.#stop(EXIT_FAILURE)
    await this.ended
  }

  /** Begins what may begin; reads on where there is room. */
  #advance(): void {
    while (this.#exitCode === undefined) {
      this.#next ??= this.#take()
      if (this.#next === undefined) break
      if (!this.#mayBegin(this.#next)) {
        this.#input.pause()
        return
      }
      const request = this.#next
      this.#next = undefined
      void this.#perform(request)
    }
    if (this.#exitCode !== undefined) this.#closeWhenIdle()
    else if (this.#inputEnded && this.#inWork === 0) this.#stop(0)
    else if (this.#input.isPaused()) this.#input.resume()
  }

  #stop(exitCode: number): void {
    this.#exitCode ??= exitCode
    this.#next = undefined
    this.#closeWhenIdle()
  }

  /** Descriptors are closed when nothing uses them any more: their numbers may be another file's at once. */
  #closeWhenIdle(): void {
    const exitCode = this.#exitCode
    if (exitCode === undefined || this.#inWork > 0 || this.#closed !== undefined) return
    this.#closed = this.#handles.closeAll().then(() => this.#ending.resolve(exitCode))
  }

  #take(): Request | undefined {
    let packet: Reader | undefined
    try {
      packet = this.#splitter.take()
    } catch (error) {
      this.#log.warn({ err: error }, 'sftp ended: this packet is too long, or empty')
      this.#stop(EXIT_OVERSIZED)
      return undefined
    }
    if (packet === undefined) return undefined
    const length = packet.remaining
    const type = packet.byte()
    if (type === FXP.INIT) {
      this.#begun = true
      return { id: 0, cost: SFTP_REQUEST_COST, work: { kind: 'alone', run: async () => versionPacket() } }
    }
    // Without an id there is nothing to answer.
    if (!this.#begun || packet.remaining < 4) {
      this.#log.warn({ type }, 'sftp ended: no request can be read')
      this.#stop(EXIT_FAILURE)
      return undefined
    }
    return this.#decode(type, packet.uint32(), packet, length)
  }

  #decode(type: number, id: number, data: Reader, length: number): Request {
    if (type === FXP.READ || type === FXP.WRITE) {
      try {
        const work = decodeData(type === FXP.READ ? 'read' : 'write', data)
        const cost = SFTP_REQUEST_COST + (work.kind === 'read' ? work.length : length)
        return { id, cost, work }
      } catch (error) {
        const answer = statusAnswer(id, statusOf(error))
        return { id, cost: SFTP_REQUEST_COST, work: { kind: 'alone', run: async () => answer } }
      }
    }
    const operation: Operation | undefined = type === FXP.EXTENDED ? runExtension : OPERATIONS.get(type)
    const run = async (): Promise<Buffer> =>
      operation === undefined
        ? statusAnswer(id, status(FX.OP_UNSUPPORTED))
        : operation(this.#context, id, data)
    // A listing or a path in the answer is longer than its question.
    const cost = SFTP_REQUEST_COST + (type === FXP.READDIR ? SFTP_PACKET_MAX : length)
    return { id, cost, work: { kind: 'alone', run } }
  }

  #mayBegin({ cost, work }: Request): boolean {
    if (this.#held > 0 && this.#held + cost > this.#connection.pendingBytes) return false
    if (this.#inWork === 0) return true
    if (work.kind === 'alone' || work.kind !== this.#kind) return false
    if (work.kind === 'read') return true
    const file = this.#handles.file(work.handle)
    return file === undefined || file.writesEnd === undefined || follows(file, work.offset)
  }

  /** Never rejects. */
  async #perform(request: Request): Promise<void> {
    const { id, cost, work } = request
    this.#inWork++
    this.#held += cost
    this.#kind = work.kind
    const slot: { cost: number; answer: Buffer | undefined } = { cost, answer: undefined }
    this.#answers.push(slot)
    const written = work.kind === 'write' ? this.#noteWrite(work.handle, work.offset, work.data) : undefined
    try {
      slot.answer = await (work.kind === 'alone' ? work.run() : moveData(this.#context, id, work))
    } catch (error) {
      slot.answer = statusAnswer(id, statusOf(error))
    }
    written?.()
    this.#inWork--
    this.#sendAnswers()
    this.#advance()
  }

  /**
   * The protocol allows answers in any order, but sftp-server has only ever given them in that of the requests, and
   * OpenSSH's client cuts the file off, with exit status 0, where the data of a download comes out of order.
   */
  #sendAnswers(): void {
    for (;;) {
      const [first] = this.#answers
      if (first?.answer === undefined) return
      this.#answers.shift()
      const { cost, answer } = first
      if (this.#output.writable) {
        this.#output.write(answer, () => {
          this.#held -= cost
          this.#advance()
        })
      } else this.#held -= cost
    }
  }

  #noteWrite(handle: Buffer, offset: bigint, data: Buffer): () => void {
    const file = this.#handles.file(handle)
    if (file === undefined) return () => undefined
    file.writes++
    file.writesEnd = Number(offset) + data.length
    return () => {
      if (--file.writes === 0) file.writesEnd = undefined
    }
  }
}

/** Whether a write overlaps none of those that are in work. What is appended can't be told apart from what overlaps. */
function follows(file: OpenFile, offset: bigint): boolean {
  return !file.append && file.writesEnd !== undefined && offset >= file.writesEnd
}

function versionPacket(): Buffer {
  const extensions = [...EXTENSIONS].flatMap(([name, { version }]) => [string(name), string(version)])
  return makePacket(FXP.VERSION, uint32(SFTP_VERSION), ...extensions)
}
