import type { ChildProcess } from 'node:child_process'
import { accessSync, closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { finished, type Readable, type Writable } from 'node:stream'
import { messageOf, SshjobError, sentenceOfCode } from '../core/errors.js'
import { unwatchSession, watchSession } from './attendant.js'
import { type ChildStdio, startChild } from './child.js'
import { describeEnd } from './ends.js'
import type { JobProcess, ProcessEnd, TerminalSize } from './job.js'
import type { Launch } from './launcher.js'
import { takePipes } from './pipes.js'
import { readStat } from './process-tree.js'
import { endSession, sendSignal, toSignal } from './session-end.js'
import type { Terminal } from './terminal.js'

/** Why a child did not start: child_process says so in an event, too late for whoever waits for a result. */
function explainFailure(launch: Launch, directory: string): string {
  const attempts: [string, () => void][] = [
    [directory, () => accessSync(directory, constants.X_OK)],
    [launch.file, () => accessSync(launch.file, constants.X_OK)],
    ['a descriptor', () => closeSync(openSync('/dev/null', 'r'))],
  ]
  for (const [what, attempt] of attempts) {
    try {
      attempt()
    } catch (error) {
      return `${what}: ${messageOf(error)}`
    }
  }
  // fork(2): what is left are the limits of processes and of open files.
  return `${launch.file}: ${sentenceOfCode('EAGAIN')}, the limit of processes or of open files is reached`
}

type Three = readonly [ChildStdio, ChildStdio, ChildStdio]

/** Starts the leader of a new session. @throws SshjobError 'spawn-failed' */
function startLeader(launch: Launch, directory: string, stdio: Three): ChildProcess & { pid: number } {
  const failed = (reason: string, cause?: unknown): SshjobError =>
    new SshjobError('spawn-failed', `The command could not be started in the job: ${reason}.`, { cause })
  let child: ChildProcess
  try {
    child = startChild(launch.file, launch.args, {
      stdio,
      environment: launch.environment,
      directory,
      ...(launch.argv0 === undefined ? {} : { argv0: launch.argv0 }),
    })
  } catch (error) {
    throw failed(messageOf(error), error)
  }
  const { pid } = child
  if (pid === undefined) throw failed(explainFailure(launch, directory))
  return Object.assign(child, { pid })
}

interface Streams {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable | undefined
}

function startOnPipes(
  launch: Launch,
  directory: string,
): { child: ChildProcess & { pid: number } } & Streams {
  let pipes: ReturnType<typeof takePipes>
  try {
    pipes = takePipes(['to-child', 'from-child', 'from-child'])
  } catch (cause) {
    const reason = messageOf(cause)
    throw new SshjobError('spawn-failed', `The command could not be started in the job: ${reason}.`, {
      cause,
    })
  }
  const [input, output, errors] = pipes ?? []
  if (input === undefined || output === undefined || errors === undefined) {
    const child = startLeader(launch, directory, ['pipe', 'pipe', 'pipe'])
    const { stdin, stdout, stderr } = child
    if (stdin === null || stdout === null || stderr === null)
      throw new Error('A child without the pipes asked for')
    return { child, stdin, stdout, stderr }
  }
  try {
    const child = startLeader(launch, directory, [input.theirs, output.theirs, errors.theirs])
    return {
      child,
      stdin: new Socket({ fd: input.ours, readable: false, writable: true }),
      stdout: new Socket({ fd: output.ours, readable: true, writable: false }),
      stderr: new Socket({ fd: errors.ours, readable: true, writable: false }),
    }
  } catch (error) {
    for (const { ours } of [input, output, errors]) closeSync(ours)
    throw error
  } finally {
    for (const { theirs } of [input, output, errors]) closeSync(theirs)
  }
}

/**
 * Starts the leader of a POSIX session (setsid(2)) in a terminal, or on three pipes; on pairs of sockets where
 * pipes can't be made (see pipes.ts), which /dev/stdin, /dev/stdout and /dev/stderr can't open.
 * @throws SshjobError 'spawn-failed'
 */
export function startSession(launch: Launch, directory: string, terminal: Terminal | undefined): JobProcess {
  if (terminal === undefined) {
    const { child, ...streams } = startOnPipes(launch, directory)
    return makeJobProcess(child, streams, undefined)
  }
  const { slave, stdin, stdout } = terminal
  const child = startLeader(launch, directory, [slave, slave, slave])
  return makeJobProcess(child, { stdin, stdout, stderr: undefined }, terminal)
}

function whenClosed(stream: Readable | undefined): Promise<void> {
  if (stream === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    finished(stream, { writable: false }, () => resolve())
  })
}

function makeJobProcess(
  child: ChildProcess & { pid: number },
  { stdin, stdout, stderr }: Streams,
  terminal: Terminal | undefined,
): JobProcess {
  const { pid } = child
  // Before anything is awaited: Node.js has not reaped it yet, so this is the leader, or what is left of it.
  const leader = readStat(pid)
  watchSession(pid)
  // A peer that closes early is no reason to end this process; who uses the stream listens as well.
  for (const stream of [stdin, stdout, stderr]) stream?.on('error', () => undefined)

  let running = true
  let termination: Promise<void> | undefined
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false
      terminal?.finish()
      resolve(describeEnd(code, signal))
    })
  })
  // What runs in the background on purpose, with nothing of ours in its hands, is left alone from then on.
  void Promise.all([ended, whenClosed(stdout), whenClosed(stderr)]).then(() => {
    stdin.destroy()
    if (termination !== undefined) return
    termination = Promise.resolve()
    unwatchSession(pid)
  })

  const end = async (): Promise<void> => {
    stdin.destroy()
    stdout.destroy()
    stderr?.destroy()
    terminal?.close()
    if (leader === undefined) sendSignal(-pid, 'SIGKILL') // without /proc, the group is all that is known
    if (leader === undefined || (await endSession(leader))) await ended
    unwatchSession(pid)
  }
  return {
    pid,
    stdin,
    stdout,
    stderr,
    ended,
    resize(size: TerminalSize) {
      terminal?.resize(size)
    },
    signal(name: string) {
      const signal = toSignal(name)
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
