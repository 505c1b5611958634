import { SshjobError, type SshjobErrorOptions } from '../core/errors.js'
import { JOB_PIDS_MAX } from '../core/limits.js'
import { startChild } from './child.js'
import { describeEnd } from './ends.js'
import { makeJobEnvironment, readEnvironment } from './environment.js'
import type { Job, ProcessEnd } from './job.js'
import { prepareLaunch } from './launcher.js'
import { currentDirectory, type LocalJobOptions, localJob } from './local-job.js'
import { findOpenFilesLimit } from './open-files.js'
import { listTree, readStat } from './process-tree.js'
import { sendSignal, toSignal } from './session-end.js'
import { findProgram } from './shell.js'
import { sentenceOf } from './system-error.js'

export interface LaunchJobOptions extends Omit<LocalJobOptions, 'command' | 'pids' | 'since'> {
  /** Our descriptors for its stdin, stdout and stderr. Default: our own. */
  stdio?: readonly [number, number, number]
  /** Descriptors above those that it gets, under their numbers. Default: those that we were started with. */
  descriptors?: readonly number[]
  /** Signals that it ignores, by number. Default: none. */
  ignoredSignals?: readonly number[]
  /** Its soft limit of open files. Default: see findOpenFilesLimit(). */
  openFiles?: number | undefined
  /** Called right before its first process is made. */
  spawning?: () => void
  /** Called at once when it is there, with its pid. */
  spawned?: (pid: number) => void
}

export interface LaunchedJob {
  readonly job: Job
  readonly pid: number
  /** How the job's first process ended. Never rejects. */
  readonly ended: Promise<ProcessEnd>
  /**
   * Sends a signal, by its number or its name without SIG ('TERM'), to the job's first process. False if the name is
   * unknown or it has ended.
   */
  signal(signal: string | number): boolean
  /**
   * Hands on a signal that this process has received. False also if the job has it already: what is typed at a
   * terminal (INT, QUIT), and the hangup of the terminal, the kernel sends to the job as well as to us.
   */
  forward(name: string): boolean
}

/** Whether a process group has the terminal: then the kernel sends it what Ctrl-C and Ctrl-\ stand for. */
function isForeground(): boolean {
  const stat = readStat('self')
  return stat !== undefined && stat.terminal !== 0 && stat.foreground === stat.group
}

/**
 * Starts a command as the job, with our stdin, stdout and stderr, as nice(1) and env(1) do. It stays in our process
 * group: in one of its own it would be in the background of the terminal, stopped when it reads. Job control and
 * Ctrl-C reach it from the kernel, as if we were not there.
 * @param command the program and its arguments; bytes where they are not UTF-8
 * @throws SshjobError 'usage', 'job-failed-to-start'; with `retry` where the system refused to start a process
 */
export function launchJob(command: readonly (string | Buffer)[], options: LaunchJobOptions): LaunchedJob {
  const [program, ...args] = command
  if (program === undefined)
    throw new SshjobError('usage', 'There is no command to run as the job: name one after --.')
  const name = program.toString()
  const environment = options.environment ?? makeJobEnvironment(readEnvironment())
  const directory = options.directory ?? currentDirectory() ?? '/'
  const failed = (reason: string, { cause, retry = false }: SshjobErrorOptions = {}): SshjobError =>
    new SshjobError('job-failed-to-start', `The job ${name} could not be started: ${reason}.`, {
      cause,
      retry,
    })
  if (findProgram(name, environment.get('PATH')?.toString(), options.directory ?? '.') === undefined) {
    throw failed('there is no such program, or it may not be run; check the command after --')
  }
  const launch = prepareLaunch({ file: name, args }, environment, {
    openFiles: options.openFiles ?? findOpenFilesLimit(),
    ignoredSignals: options.ignoredSignals ?? [],
  })
  const terminalAtStart = readStat('self')?.terminal ?? 0
  const since = new Date()
  let child: ReturnType<typeof startChild>
  try {
    options.spawning?.()
    child = startChild(launch.file, launch.args, {
      stdio: options.stdio ?? ['inherit', 'inherit', 'inherit'],
      environment: launch.environment,
      // Where it is not named it is ours: it may have no name, having been deleted, or none that a string can hold.
      directory: options.directory,
      ownSession: false,
      keepInherited: true,
      ...(options.descriptors === undefined ? {} : { descriptors: options.descriptors }),
      ...(launch.argv0 === undefined ? {} : { argv0: launch.argv0 }),
    })
  } catch (error) {
    throw failed(sentenceOf(error), { cause: error, retry: true })
  }
  const { pid } = child
  if (pid === undefined) {
    throw failed(
      `the system refused, check that ${directory} can be entered and that processes can be started`,
      { retry: true },
    )
  }
  options.spawned?.(pid)
  let running = true
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false
      resolve(describeEnd(code, signal))
    })
  })

  const signal = (wanted: string | number): boolean => {
    const number = typeof wanted === 'number' ? wanted : toSignal(wanted)
    return running && number !== undefined && sendSignal(pid, number)
  }
  const hasItAlready = (signalName: string): boolean => {
    if (signalName === 'INT' || signalName === 'QUIT') return isForeground()
    // Without its terminal a session has been hung up, and with it all of its processes (setsid(2), tty(4)).
    return signalName === 'HUP' && terminalAtStart !== 0 && readStat('self')?.terminal === 0
  }
  return {
    job: localJob({
      ...options,
      environment,
      directory,
      command: command.map(String),
      since,
      pids: () => (running ? listTree(pid, JOB_PIDS_MAX) : []),
    }),
    pid,
    ended,
    signal,
    forward: (signalName) => !hasItAlready(signalName) && signal(signalName),
  }
}
