import { resolve } from 'node:path'
import { messageOf } from '../core/errors.js'
import { MAX_COMMAND_BYTES } from '../core/limits.js'
import type { Logger } from '../core/log.js'
import { matchesPattern } from '../core/patterns.js'
import type { JobFiles, JobInside } from '../job/inside.js'
import type { Job, JobProcess, TerminalRequest, TerminalSize } from '../job/job.js'
import { refusalOf } from '../permissions/refusal.js'
import type { Channel } from '../ssh/channel.js'
import { decodeTerminalModes } from '../ssh/terminal-modes.js'
import type { Reader } from '../ssh/wire.js'
import type { Forwarding } from './forwarding/forwarding.js'
import { observe, type SafeObserver, type SessionObserver, safeObserver } from './observer.js'
import type { Rules } from './rules.js'
import { SessionForwards } from './session-forwards.js'
import { SessionVariables } from './session-variables.js'
import { serveFiles } from './sftp/serve-files.js'
import type { SftpSession } from './sftp/serve-sftp.js'
import type { SftpConnection } from './sftp/sftp-connection.js'
import { endWithStatus, showProcess } from './show-process.js'
import { type Asked, whatRuns } from './what-runs.js'

export interface SessionContext {
  job: Job
  inside: JobInside
  /** Variables of every session of this connection, such as SSH_CONNECTION. */
  environment: ReadonlyMap<string, Buffer>
  shells: readonly string[]
  rules: Rules
  /** What an interactive shell is greeted with; '' says nothing. */
  greeting: () => string
  forwarding: Forwarding
  /** What its channels of SFTP share. */
  sftp: SftpConnection
  /** Called for each session. */
  observer: (() => SessionObserver | undefined) | undefined
  log: Logger
}

/** One session channel, RFC 4254 §6: what the client asks for before, while and after something runs in it. */
export class Session {
  readonly #channel: Channel
  readonly #context: SessionContext
  readonly #variables: SessionVariables
  readonly #forwards: SessionForwards
  #terminal: TerminalRequest | undefined
  #starting: Promise<JobProcess> | undefined
  #process: JobProcess | undefined
  #sftp: SftpSession | undefined
  #started = false
  readonly #observer: SafeObserver | undefined

  constructor(channel: Channel, context: SessionContext) {
    this.#channel = channel
    this.#context = context
    this.#variables = new SessionVariables(context.environment)
    this.#forwards = new SessionForwards(context.forwarding, this.#variables, context.log)
    this.#observer = safeObserver(context.observer, context.log)
    channel.onRequest = (name, data) => this.#request(name, data)
  }

  /** Whether its channel is open; once it is not, processes may still have to end. */
  get isOpen(): boolean {
    return !this.#channel.isClosed
  }

  /** Says a sentence to whoever looks at this session. */
  tell(sentence: string): void {
    if (this.#channel.isClosed) return
    const stream = this.#terminal === undefined ? this.#channel.outputExtended : this.#channel.output
    const end = this.#terminal === undefined ? '\n' : '\r\n'
    if (stream.writable) stream.write(`${this.#terminal === undefined ? '' : end}${sentence}${end}`)
  }

  /** Says why what the client asks for is refused, before the answer, which has no room for it: RFC 4254 §5.4. */
  #explain(reason: string): void {
    if (this.#channel.isClosed || !this.#channel.outputExtended.writable) return
    // A client that wanted a terminal has made a raw one of its own by now.
    this.#channel.outputExtended.write(
      `sshjob-server: ${reason}${this.#terminal === undefined ? '' : '\r'}\n`,
    )
  }

  /** Ends what runs, and resolves when it has ended. */
  async terminate(): Promise<void> {
    const started = await this.#starting?.catch(() => undefined)
    await Promise.all([started?.terminate(), this.#sftp?.terminate(), this.#forwards.close()])
  }

  #request(name: string, data: Reader): boolean | Promise<boolean> {
    switch (name) {
      case 'env':
        return this.#setVariable(data.text(), data.string())
      case 'pty-req':
        return this.#openTerminal(data)
      case 'shell':
        return this.#run({ kind: 'shell' })
      case 'exec':
        return this.#run({ kind: 'exec', command: Buffer.from(data.string()) })
      case 'subsystem':
        return this.#run({ kind: 'subsystem', name: data.text() })
      case 'window-change':
        return this.#resize(readSize(data))
      case 'signal':
        return this.#process?.signal(data.text()) ?? false
      case 'break': // RFC 4335
        return this.#process?.sendBreak() ?? false
      case 'auth-agent-req@openssh.com':
        return this.#started ? false : this.#forwards.agent()
      case 'x11-req':
        return this.#started ? false : this.#forwards.x11(data)
      case 'eow@openssh.com':
        return this.#nobodyReads()
      default:
        return false
    }
  }

  #setVariable(name: string, value: Buffer): boolean {
    const { acceptedVariables } = this.#context.rules
    const accepted = acceptedVariables?.some((pattern) => matchesPattern(name, pattern)) ?? true
    return !this.#started && accepted && this.#variables.set(name, value)
  }

  #openTerminal(data: Reader): boolean {
    const { job, rules } = this.#context
    const refusal = refusalOf(rules.permissions, { kind: 'terminal' })
    const unavailable = refusal === undefined ? job.terminalUnavailable() : `${refusal}.`
    if (this.#started || this.#terminal !== undefined || unavailable !== undefined) {
      this.#context.log.info({ reason: unavailable }, 'terminal refused')
      if (unavailable !== undefined) this.#explain(unavailable)
      return false
    }
    const term = data.text()
    const size = readSize(data)
    this.#terminal = { term, ...size, modes: decodeTerminalModes(data.string()) }
    return true
  }

  #resize(size: TerminalSize): boolean {
    if (this.#terminal === undefined) return false
    // Before the start it changes what the terminal will begin with.
    this.#terminal = { ...this.#terminal, ...size }
    this.#process?.resize(size)
    if (this.#process !== undefined) this.#observer?.resized(size)
    return true
  }

  #run(asked: Asked): boolean | Promise<boolean> {
    if (this.#started) return false
    const run = whatRuns(this.#context.rules, asked)
    switch (run.kind) {
      case 'command':
        return this.#start(run.command, run.original)
      case 'files':
        return this.#startFiles(run.directory)
      case 'files-only':
        return this.#refuseForFilesOnly()
      case 'refused':
        if (run.reason === undefined) return false
        this.#context.log.info({ reason: run.reason }, 'session refused')
        this.#explain(`${run.reason}.`)
        return false
    }
  }

  /** Nothing but files is served here: as sshd says it. */
  #refuseForFilesOnly(): boolean {
    this.#started = true
    this.#channel.outputExtended.write('This service allows sftp connections only.\n')
    queueMicrotask(() => endWithStatus(this.#channel, 1))
    return true
  }

  /** @param original what the client asked for where something else runs: it finds it in SSH_ORIGINAL_COMMAND */
  async #start(command: Buffer | undefined, original: Buffer | undefined): Promise<boolean> {
    this.#started = true
    if (command !== undefined && (command.length > MAX_COMMAND_BYTES || command.includes(0))) {
      this.#explain('This command is longer than the system takes, or holds a NUL byte.')
      return false
    }
    const { job, shells, rules, log } = this.#context
    const terminal = this.#terminal
    const environment = this.#variables.all(variablesOf(rules.environment), original)
    const request = { command, environment, terminal, shells }
    let started: JobProcess
    try {
      // What the client asks for meanwhile waits for the answer to this request.
      this.#starting = (async () => job.spawn(request))()
      started = await this.#starting
    } catch (error) {
      log.warn({ err: error }, 'session could not be started')
      this.#explain(messageOf(error))
      return false
    }
    this.#process = started
    const { pid, notices = [] } = started
    const passedOver = notices.length === 0 ? {} : { notices }
    log.info({ pid, terminal: terminal !== undefined, ...passedOver }, 'session started')
    // After the reply to this request, which waits in promises, and before anything that the shell writes.
    process.nextTick(() => {
      for (const notice of notices) this.tell(`sshjob-server: ${notice}`)
      if (command === undefined && terminal !== undefined) this.#greet()
    })
    const observer = this.#observer
    if (observer !== undefined) {
      observer.started({ kind: 'process', pid, command, terminal })
      observe(started, observer)
      this.#channel.input.on('data', (chunk: Buffer) => observer.input(chunk))
    }
    void this.#show(started)
    return true
  }

  async #startFiles(directory: string | undefined): Promise<boolean> {
    const { inside, sftp: connection, log } = this.#context
    let place: JobFiles
    try {
      place = await inside.files()
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'file transfer refused')
      this.#explain(messageOf(error))
      return false
    }
    if (this.#channel.isClosed) return false
    const files =
      directory === undefined ? place : { ...place, directory: resolve(place.directory, directory) }
    this.#started = true
    log.info({ directory: files.directory }, 'file transfer started')
    this.#sftp = serveFiles(this.#channel.input, this.#channel.output, { files, connection, log })
    this.#observer?.started({ kind: 'files', directory: files.directory })
    void this.#sftp.ended.then((exitCode) => this.#observer?.exited({ exitCode }))
    void this.#showFiles(this.#sftp)
    return true
  }

  /** From the start to the end of the channel. Never rejects. */
  async #showFiles(sftp: SftpSession): Promise<void> {
    const channel = this.#channel
    const exitCode = await Promise.race([sftp.ended, channel.closed.then(() => undefined)])
    this.#context.log.info({ exitCode }, 'file transfer ended')
    if (exitCode === undefined || channel.isClosed) return sftp.terminate()
    endWithStatus(channel, exitCode)
  }

  #greet(): void {
    const greeting = this.#context.greeting()
    if (greeting !== '' && this.#channel.output.writable)
      this.#channel.output.write(greeting.replace(/\r?\n/g, '\r\n'))
  }

  /** From the start to the end of the channel, and of the process with it. Never rejects. */
  async #show(process: JobProcess): Promise<void> {
    const { log } = this.#context
    const end = await showProcess(this.#channel, process, log)
    if (end !== undefined) return log.info({ pid: process.pid, ...end }, 'session ended')
    log.info({ pid: process.pid }, 'client gone: its processes are ended')
    await process.terminate()
  }

  /** The client has no reader for our output: the writer gets SIGPIPE, a terminal hangs up. */
  #nobodyReads(): boolean {
    if (this.#terminal === undefined) {
      this.#process?.stdout.destroy()
    } else {
      void this.#process?.terminate()
    }
    return true
  }
}

function variablesOf(environment: Rules['environment'] = {}): ReadonlyMap<string, Buffer> {
  return new Map(Object.entries(environment).map(([name, value]) => [name, Buffer.from(value)]))
}

function readSize(data: Reader): TerminalSize {
  return { columns: data.uint32(), rows: data.uint32(), width: data.uint32(), height: data.uint32() }
}
