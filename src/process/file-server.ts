import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { deferred } from '../core/deferred.js'
import { messageOf } from '../core/errors.js'
import { EXIT_FAILURE } from '../core/exit-failure.js'
import {
  FILE_SERVER_BEGIN_MS,
  FILE_SERVER_IDLE_MS,
  FILE_SERVER_RETRY_MS,
  FILE_SERVER_START_MS,
} from '../core/limits.js'
import { type Logger, silent } from '../core/log.js'
import { socketPair } from './socket-pair.js'
import { StderrTail } from './stderr-tail.js'

/** What a channel of SFTP begins with. */
export interface FilePlace {
  /** The connection whose channel it is, by a number of its own: what it may have of threads, its channels share. */
  connection: number
  /** The absolute path that relative paths start from. */
  directory: string
  /** What `~` stands for. */
  home: string
}

export interface ServedFiles {
  /** SFTP, version 3. */
  stream: Duplex
  /** The status that sftp-server(8) would exit with. Never rejects. */
  ended: Promise<number>
}

/** The number of a channel that nobody waits for. */
const REHEARSAL = -1

interface Child {
  process: ChildProcess
  /** Whether it has said that it listens. */
  ready: Promise<boolean>
  /** By their numbers: what is open in it. */
  open: Map<number, (exitCode: number) => void>
}

/**
 * A process for the files of all connections. It is there before the first are asked for, since to start it takes longer
 * than all the rest of a session's beginning; and once the last have been closed for a while, a new one takes its place,
 * which has nothing left of theirs. A file system that does not answer keeps whoever touches it, in ways that nothing can end: a
 * process with such a thread can't exit, not even by SIGKILL once a server of FUSE has taken the request; and one that has
 * such a file open can start no other, since execve(2) closes its copy, which FUSE waits for. So that must not be the
 * process that the job and its sessions depend on.
 */
export class FileServer {
  readonly #command: readonly string[]
  readonly #log: Logger
  readonly #rehearsal: Buffer
  #child: Child | undefined
  #idle: NodeJS.Timeout | undefined
  /** It could not be started, for a limit of processes or memory mostly: not before then is that tried again. */
  #notBefore = 0
  #nextId = 0

  /**
   * @param command starts a program that calls answerForFiles()
   * @param options.rehearsal what a client says first. A process that has heard it once answers 15 ms sooner: it is
   *   said to each that nobody waits for yet. Default: nothing
   */
  constructor(command: readonly string[], options: { rehearsal?: Buffer; log?: Logger } = {}) {
    this.#command = command
    this.#log = options.log ?? silent
    this.#rehearsal = options.rehearsal ?? Buffer.alloc(0)
  }

  /** Starts the process in a moment, so that a job which ends at once has not paid for it. */
  prepare(): void {
    setTimeout(() => this.#prepared(), FILE_SERVER_BEGIN_MS).unref()
  }

  /** Undefined where there can be no such process. */
  async open(place: FilePlace): Promise<ServedFiles | undefined> {
    clearTimeout(this.#idle)
    const child = this.#prepared()
    if (child === undefined) return undefined
    const { promise: ended, resolve } = deferred<number>()
    const id = this.#nextId++
    child.open.set(id, resolve)
    if (!(await child.ready)) return undefined
    return { stream: this.#connect(child, id, place, ended), ended }
  }

  #connect(child: Child, id: number, place: FilePlace, ended?: Promise<number>): Duplex {
    const [stream, theirs] = socketPair()
    const close = (): void => void theirs.destroy()
    // Behind others, it may never be sent. Node.js itself would close it when the other side says that it has it.
    void ended?.then(close)
    child.process.send({ id, ...place }, theirs, { keepOpen: true }, (error) => {
      close()
      if (error !== null) this.#end(child, id, EXIT_FAILURE)
    })
    return stream
  }

  #rehearse(child: Child): void {
    if (child.open.size > 0) return
    const stream = this.#connect(child, REHEARSAL, { connection: REHEARSAL, directory: '/', home: '/' })
    stream.on('error', () => undefined).resume()
    stream.end(this.#rehearsal)
  }

  #prepared(): Child | undefined {
    if (this.#child === undefined && performance.now() >= this.#notBefore) this.#child = this.#start()
    return this.#child
  }

  #start(): Child {
    const [program = '', ...args] = this.#command
    // Node.js may need it to run at all. All other variables are the job's.
    const { LD_LIBRARY_PATH } = process.env
    const child = spawn(program, args, {
      cwd: '/',
      env: LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // What a terminal or a batch system sends to the job's group is not for it.
      detached: true,
    })
    const ready = deferred<boolean>()
    const started: Child = { process: child, ready: ready.promise, open: new Map() }
    const said = new StderrTail()
    child.stderr?.on('data', (chunk: Buffer) => said.add(chunk))
    child.on('message', (message) => {
      ready.resolve(true)
      if (typeof message === 'object' && 'id' in message && 'exitCode' in message) {
        this.#end(started, Number(message.id), Number(message.exitCode))
      }
    })
    const over = (reason: string): void => {
      if (this.#child !== started) return
      this.#child = undefined
      if (child.connected) child.disconnect()
      this.#log.warn({ reason, said: said.text() }, 'the process that serves files has ended')
      for (const id of [...started.open.keys()]) this.#end(started, id, EXIT_FAILURE)
    }
    // Where it lies on a file system that does not answer, it never says anything.
    const giveUp = setTimeout(() => {
      ready.resolve(false)
      child.kill('SIGKILL')
      over(`silent for ${FILE_SERVER_START_MS} ms`)
    }, FILE_SERVER_START_MS).unref()
    void ready.promise
      .then((isReady) => {
        clearTimeout(giveUp)
        if (isReady) this.#rehearse(started)
        else this.#notBefore = performance.now() + FILE_SERVER_RETRY_MS
      })
      .catch((error: unknown) => over(messageOf(error)))
    child.on('exit', (code, signal) => {
      ready.resolve(false)
      over(`${signal ?? `status ${code}`}`)
    })
    child.on('error', (error) => {
      ready.resolve(false)
      over(error.message)
    })
    // It keeps no program alive that has nothing else to do.
    child.unref()
    child.channel?.unref()
    if (child.stderr instanceof Socket) child.stderr.unref()
    return started
  }

  #end({ open, process: child }: Child, id: number, exitCode: number): void {
    open.get(id)?.(exitCode)
    if (!open.delete(id) || open.size > 0 || this.#child?.process !== child) return
    this.#idle = setTimeout(() => {
      this.#child = undefined
      child.disconnect()
      this.#prepared()
    }, FILE_SERVER_IDLE_MS).unref()
  }
}
