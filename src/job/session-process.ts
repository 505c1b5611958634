import { Socket } from 'node:net'
import { finished, type Readable, type Writable } from 'node:stream'
import { SshjobError } from '../core/errors.js'
import { unwatchSession, watchSession } from '../process/attendant.js'
import { closeAll, keepInheritedFromChildren, makeThreePipes, nameOfPipe } from '../process/descriptors.js'
import { release } from '../process/exits.js'
import { hangUp, hangUpGroup, type PosixSession } from '../process/hang-up.js'
import { readStat } from '../process/process-tree.js'
import { sendSignal, signalNumber } from '../process/signals.js'
import { explainSpawn, type SpawnedProcess, type SpawnOptions, spawnProcess } from '../process/spawn.js'
import type { Terminal } from '../process/terminal.js'
import type { TerminalSize } from '../process/termios.js'
import type { JobProcess } from './job.js'

/** What is to be run, as for spawnProcess(). */
export type Program = Pick<SpawnOptions, 'file' | 'args' | 'environment' | 'directory' | 'openFiles'>

/** Starts the leader of a new POSIX session. @throws SshjobError 'spawn-failed' */
function startLeader(program: Program, stdio: NonNullable<SpawnOptions['stdio']>): SpawnedProcess {
  try {
    // They are the job's, which has them by now.
    keepInheritedFromChildren()
    return spawnProcess({ ...program, stdio, ownSession: true })
  } catch (error) {
    throw failure(error)
  }
}

function failure(cause: unknown): SshjobError {
  if (cause instanceof SshjobError) return cause
  return new SshjobError(
    'spawn-failed',
    `The command could not be started in the job: ${explainSpawn(cause)}.`,
    {
      cause,
    },
  )
}

interface Streams {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable | undefined
}

interface Started extends Streams {
  readonly child: SpawnedProcess
  /** As a PosixSession has it. */
  readonly given: readonly string[]
}

function startOnPipes(program: Program): Started {
  let pipes: ReturnType<typeof makeThreePipes>
  try {
    pipes = makeThreePipes()
  } catch (error) {
    throw failure(error)
  }
  const [input, output, errors] = pipes
  const ours = [input.write, output.read, errors.read]
  const theirs = [input.read, output.write, errors.write] as const
  try {
    return {
      child: startLeader(program, theirs),
      given: theirs.map(nameOfPipe),
      stdin: new Socket({ fd: input.write, readable: false, writable: true }),
      stdout: new Socket({ fd: output.read, readable: true, writable: false }),
      stderr: new Socket({ fd: errors.read, readable: true, writable: false }),
    }
  } catch (error) {
    closeAll(ours)
    throw error
  } finally {
    closeAll(theirs)
  }
}

/**
 * Starts the leader of a POSIX session (setsid(2)) in a terminal, or on three pipes.
 * @param notices what its session should be told
 * @throws SshjobError 'spawn-failed'
 */
export function startSession(
  program: Program,
  terminal: Terminal | undefined,
  notices: readonly string[],
): JobProcess {
  if (terminal === undefined) return makeJobProcess(startOnPipes(program), undefined, notices)
  const { name, stdin, stdout } = terminal
  const child = startLeader(program, { terminal: name })
  // /dev/tty is the terminal too, by a name that each session has for its own.
  return makeJobProcess(
    { child, stdin, stdout, stderr: undefined, given: [name, '/dev/tty'] },
    terminal,
    notices,
  )
}

function makeJobProcess(
  { child, stdin, stdout, stderr, given }: Started,
  terminal: Terminal | undefined,
  notices: readonly string[],
): JobProcess {
  const { pid } = child
  // Before anything is awaited: we have not reaped it yet, so this is the leader, or what is left of it.
  const leader = readStat(pid)
  const session: PosixSession | undefined = leader && { leader, given }
  if (session !== undefined) watchSession(session)
  // A peer that closes early is no reason to end this process; who uses the stream listens as well.
  for (const stream of [stdin, stdout, stderr]) stream?.on('error', () => undefined)

  let running = true
  let termination: Promise<void> | undefined
  const ended = child.ended.then((end) => {
    running = false
    terminal?.finish()
    // What it left in the background was left on purpose.
    if (session !== undefined) unwatchSession(session)
    return end
  })
  void Promise.all([ended, whenClosed(stdout), whenClosed(stderr)]).then(() => stdin.destroy())

  const end = async (): Promise<void> => {
    const wasRunning = running
    stdin.destroy()
    stdout.destroy()
    stderr?.destroy()
    terminal?.close()
    if (!wasRunning) return
    if (session === undefined) await hangUpGroup(pid)
    else {
      await hangUp(session, new Set([pid, terminal?.foreground ?? pid]))
      unwatchSession(session)
    }
    const left = readStat(pid)
    // The command itself may be one of those that stay.
    if (left?.startTime === leader?.startTime && left?.state !== 'Z') release(pid)
    else await ended
  }
  return {
    pid,
    notices,
    stdin,
    stdout,
    stderr,
    ended,
    resize(size: TerminalSize) {
      terminal?.resize(size)
    },
    signal(name: string) {
      const signal = signalNumber(name)
      return running && signal !== undefined && sendSignal(-pid, signal)
    },
    /**
     * A pseudo-terminal has no line to break: the kernel's TCSBRK does nothing there (sshd calls it and reports
     * success), and what a break would cause with BRKINT, a SIGINT to the foreground group, the peer can have by
     * the interrupt character or a signal. So the honest answer is no.
     */
    sendBreak() {
      return false
    },
    terminate() {
      termination ??= end()
      return termination
    },
  }
}

function whenClosed(stream: Readable | undefined): Promise<void> {
  if (stream === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    finished(stream, { writable: false }, () => resolve())
  })
}
