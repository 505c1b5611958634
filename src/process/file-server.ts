import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { deferred } from '../core/deferred.js'
import { COMMAND_STDERR_BYTES, FILE_SERVER_IDLE_MS } from '../core/limits.js'
import { type Logger, silent } from '../core/log.js'
import { socketPair } from './socket-pair.js'

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

/** A process has ended that was not asked to. */
const EXIT_FAILURE = 255

interface Child {
  process: ChildProcess
  /** Whether it has said that it listens. */
  ready: Promise<boolean>
  /** By their numbers: what is open in it. */
  open: Map<number, (exitCode: number) => void>
}

/**
 * A process for the files of all connections, started when the first are asked for and ended when the last have been
 * closed for a while. A file system that does not answer keeps whoever touches it, in ways that nothing can end: a
 * process with such a thread can't exit, not even by SIGKILL once a server of FUSE has taken the request; and one that has
 * such a file open can start no other, since execve(2) closes its copy, which FUSE waits for. So that must not be the
 * process that the job and its sessions depend on.
 */
export class FileServer {
  readonly #command: readonly string[]
  readonly #log: Logger
  #child: Child | undefined
  #idle: NodeJS.Timeout | undefined
  /** It could not be started once: a limit of processes or memory, mostly. */
  #failed = false
  #nextId = 0

  /** @param command starts a program that calls answerForFiles() */
  constructor(command: readonly string[], log: Logger = silent) {
    this.#command = command
    this.#log = log
  }

  /** Undefined where there can be no such process. */
  async open(place: FilePlace): Promise<ServedFiles | undefined> {
    if (this.#failed) return undefined
    clearTimeout(this.#idle)
    this.#child ??= this.#start()
    const child = this.#child
    const { promise: ended, resolve } = deferred<number>()
    const id = this.#nextId++
    child.open.set(id, resolve)
    if (!(await child.ready)) return undefined
    const [stream, theirs] = socketPair()
    child.process.send({ id, ...place }, theirs, {}, () => theirs.destroy())
    return { stream, ended }
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
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-COMMAND_STDERR_BYTES)
    })
    child.on('message', (message) => {
      ready.resolve(true)
      if (typeof message === 'object' && 'id' in message && 'exitCode' in message) {
        this.#end(started, Number(message.id), Number(message.exitCode))
      }
    })
    const over = (reason: string): void => {
      if (this.#child !== started) return
      this.#child = undefined
      this.#log.warn({ reason, said }, 'the process that serves files has ended')
      for (const id of [...started.open.keys()]) this.#end(started, id, EXIT_FAILURE)
    }
    void ready.promise.then((isReady) => {
      this.#failed ||= !isReady
    })
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
    return started
  }

  #end({ open, process: child }: Child, id: number, exitCode: number): void {
    open.get(id)?.(exitCode)
    open.delete(id)
    if (open.size > 0 || this.#child?.process !== child) return
    this.#idle = setTimeout(() => {
      this.#child = undefined
      child.disconnect()
    }, FILE_SERVER_IDLE_MS).unref()
  }
}
