import type { Duplex, Writable } from 'node:stream'
import {
  type Argument,
  abortSignal,
  checkCall,
  either,
  flag,
  listOf,
  milliseconds,
  oneOf,
  optional,
  options as optionsOf,
  text,
  writable,
} from '../core/check-options.js'
import { messageOf, SshjobError, systemCode } from '../core/errors.js'
import { COMMAND_EXIT_GRACE_MS, COMMAND_KILL_DELAY_MS } from '../core/limits.js'
import { onAbort } from '../core/on-abort.js'
import { waitNoLonger, withinTime } from '../core/within-time.js'
import { type PipedProcess, startPiped } from '../process/helpers.js'
import { StderrTail } from '../process/stderr-tail.js'
import { JoinedStream } from './joined.js'

export interface CommandStreamOptions {
  /**
   * Where the command's stderr goes; 'inherit': where ours does, also when we are gone already. Default: its last
   * COMMAND_STDERR_BYTES are part of the error that it ends with.
   */
  stderr?: Writable | 'inherit'
  /** Destroys the stream when aborted. */
  signal?: AbortSignal
  /**
   * A session of its own, setsid(2), so that no key of a terminal reaches the command; it is ended with all of its
   * processes. Default: false.
   */
  ownGroup?: boolean
  /**
   * Whether descriptor 3 of the command is one that can be read to its end when the stream is destroyed, or when this
   * process has ended in whatever way. Default: false.
   */
  leash?: boolean
  /** How long the command may take to end by itself once the stream is destroyed, in milliseconds. Default: 0. */
  patienceMs?: number
}

const LEASH = 3

const COMMAND_CALL: readonly Argument[] = [
  ['argv', listOf(text)],
  optional(
    'options',
    optionsOf<CommandStreamOptions>({
      stderr: either("a stream or 'inherit'", oneOf('inherit'), writable),
      signal: abortSignal,
      ownGroup: flag,
      leash: flag,
      patienceMs: milliseconds,
    }),
  ),
]

/**
 * The stdin and stdout of a command, such as `docker exec -i C sshjob-server -i`, as one stream. The command ends
 * with the stream: SIGTERM, and SIGKILL after COMMAND_KILL_DELAY_MS. A command that fails destroys the stream with
 * 'connection-lost', one that is not there with 'program-missing'.
 * @throws SshjobError 'usage' without a command, 'spawn-failed' where the system can't start processes
 */
export function commandStream(argv: readonly string[], options: CommandStreamOptions = {}): Duplex {
  checkCall('commandStream', [argv, options], COMMAND_CALL)
  const [program, ...args] = argv
  if (program === undefined || program === '')
    throw new SshjobError('usage', 'There is no command to connect to.')
  try {
    return new CommandStream(start(program, args, options), program, options)
  } catch (error) {
    throw new SshjobError('spawn-failed', `${program} could not be started: ${messageOf(error)}.`, {
      cause: error,
    })
  }
}

function start(program: string, args: string[], options: CommandStreamOptions): PipedProcess {
  const { stderr, ownGroup = false, leash = false } = options
  const said = stderr === 'inherit' ? 'inherit' : 'pipe'
  const child = startPiped(program, args, {
    env: process.env,
    detached: ownGroup,
    stdio: ['pipe', 'pipe', said, ...(leash ? (['pipe'] as const) : [])],
  })
  child.stdio[LEASH]?.on('error', () => undefined)
  return child
}

class CommandStream extends JoinedStream {
  readonly #child: PipedProcess
  readonly #program: string
  readonly #ownGroup: boolean
  readonly #patienceMs: number
  readonly #exited: Promise<void>
  readonly #said = new StderrTail()
  #failure: SshjobError | undefined

  constructor(child: PipedProcess, program: string, options: CommandStreamOptions) {
    super(child.stdout, child.stdin)
    const { stderr, signal, ownGroup = false, patienceMs = 0 } = options
    this.#ownGroup = ownGroup
    this.#patienceMs = patienceMs
    this.#child = child
    this.#program = program
    this.#exited = this.#watchExit()
    if (stderr === undefined) child.stderr?.on('data', (chunk: Buffer) => this.#said.add(chunk))
    else if (stderr !== 'inherit') child.stderr?.pipe(stderr, { end: false })
    child.stderr?.on('error', (error) => this.destroy(error))
    this.once(
      'close',
      onAbort(signal, (reason) => this.destroy(reason)),
    )
  }

  /** Resolves once the command is over, and what it said on stderr has been read. */
  #watchExit(): Promise<void> {
    return new Promise((resolve) => {
      const child = this.#child
      child.on('error', (error) => {
        this.#failure = startFailure(this.#program, error)
        this.destroy(this.#failure)
        resolve()
      })
      child.on('exit', (code, signal) => {
        if (code !== 0) {
          const fail = (): void => {
            clearTimeout(timer)
            this.#failure = exitFailure(this.#program, code, signal, this.#said.text().trim())
            resolve()
          }
          // stderr may be held open by a process that outlives the command, so don't wait for its end for ever.
          const timer = setTimeout(fail, COMMAND_EXIT_GRACE_MS)
          if (child.stderr === null || child.stderr.closed) fail()
          else child.stderr.once('close', fail)
        } else resolve()
      })
    })
  }

  /** A command that fails closes its pipes an instant before it exits: its exit is the better reason. */
  protected override afterLastByte(then: (reason?: Error) => void): void {
    void withinTime(this.#exited, COMMAND_EXIT_GRACE_MS, waitNoLonger).then(() => then(this.#failure))
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const orderly = error === null && this.readableEnded && this.writableFinished
    super._destroy(error, done)
    this.#child.stdio[LEASH]?.destroy()
    this.#end(orderly ? Math.max(COMMAND_EXIT_GRACE_MS, this.#patienceMs) : this.#patienceMs)
  }

  #end(patienceMs: number): void {
    const child = this.#child
    const running = (): boolean =>
      child.exitCode === null && child.signalCode === null && child.pid !== undefined
    if (!running()) return
    const kill = (signal: NodeJS.Signals): void => {
      if (this.#ownGroup && child.pid !== undefined && running()) process.kill(-child.pid, signal)
      else child.kill(signal)
    }
    const terminate = (): void => kill('SIGTERM')
    const timers = [setTimeout(() => kill('SIGKILL'), patienceMs + COMMAND_KILL_DELAY_MS)]
    if (patienceMs === 0) terminate()
    else timers.push(setTimeout(terminate, patienceMs))
    child.once('exit', () => {
      for (const timer of timers) clearTimeout(timer)
    })
  }
}

function startFailure(program: string, error: Error): SshjobError {
  const code = systemCode(error)
  if (code === 'ENOENT') {
    return new SshjobError(
      'program-missing',
      `${program} was not found: install it, or give its full path.`,
      {
        cause: error,
      },
    )
  }
  return new SshjobError('spawn-failed', `${program} could not be started: ${messageOf(error)}.`, {
    cause: error,
  })
}

function exitFailure(
  program: string,
  code: number | null,
  signal: string | null,
  stderr: string,
): SshjobError {
  const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`
  const said = stderr === '' ? '' : `: ${stderr.split(/\s*\n\s*/).join('; ')}`
  return new SshjobError(
    'connection-lost',
    `The command that carries the connection, ${program}, ${how}${said}.`,
  )
}
