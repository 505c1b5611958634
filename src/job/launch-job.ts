import { SshjobError, type SshjobErrorOptions, systemCode } from '../core/errors.js'
import { JOB_PIDS_MAX } from '../core/limits.js'
import { findProgram } from '../process/find-program.js'
import { findOpenFilesLimit } from '../process/open-files.js'
import { listTree, readStat } from '../process/process-tree.js'
import { sendSignal, signalNumber } from '../process/signals.js'
import { explainSpawn, type SpawnedProcess } from '../process/spawn.js'
import { readyToSpawn, spawnJob } from '../process/spawn-job.js'
import { makeJobEnvironment, readEnvironment } from './environment.js'
import type { Job, ProcessEnd } from './job.js'
import { type LocalJobOptions, localJob } from './local-job.js'

export interface LaunchJobOptions extends Omit<LocalJobOptions, 'command' | 'pids' | 'since' | 'directory'> {
  /** The job's working directory. Default: this process's, wherever it is. */
  directory?: string
  /**
   * Signals, by their numbers, that the job ignores from its start: those that were ignored when this process was
   * started (nohup(1), a shell's trap ''), which Node.js makes forget. Sessions are logins of their own, and ignore
   * none. Default: none.
   */
  ignoredSignals?: readonly number[]
  /** Our descriptors for its stdin, stdout and stderr, all above 2. Default: our own. */
  stdio?: readonly [number, number, number]
  /** Descriptors above those that it gets, under their numbers. Default: those that children of ours get. */
  descriptors?: readonly number[]
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

/** Whether it is us who could not start it, and not the program that can't be started. */
function isOurs(error: unknown): boolean {
  return error instanceof SshjobError || SCARCITIES.includes(systemCode(error) ?? '')
}

const SCARCITIES: readonly string[] = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']

/**
 * Starts a command as the job, with our stdin, stdout and stderr, as nice(1) and env(1) do, and with the descriptors
 * that we were started with. It stays in our process group: in one of its own it would be in the background of the
 * terminal, stopped when it reads. Job control and Ctrl-C reach it from the kernel, as if we were not there.
 * @param command the program and its arguments; bytes where they are not UTF-8
 * @throws SshjobError 'usage', 'job-failed-to-start'; with `retry` where the system starts no process for us
 */
export async function launchJob(
  command: readonly (string | Buffer)[],
  options: LaunchJobOptions,
): Promise<LaunchedJob> {
  const [program] = command
  if (program === undefined)
    throw new SshjobError('usage', 'There is no command to run as the job: name one after --.')
  const environment = options.environment ?? makeJobEnvironment(readEnvironment())
  const openFiles = options.openFiles ?? findOpenFilesLimit()
  const limits = openFiles === undefined ? {} : { openFiles }
  const { ignoredSignals = [], stdio, descriptors = [], spawning, spawned, ...rest } = options
  const { directory } = rest
  const failed = (reason: string, more: SshjobErrorOptions = {}): SshjobError =>
    new SshjobError('job-failed-to-start', `The job ${program} could not be started: ${reason}.`, more)
  // For as long as that takes: without us, the command would wait for its file system as well.
  const file = await findProgram(program, { path: environment.get('PATH'), directory })
  if (file === undefined) {
    throw failed('there is no such program, or it may not be run; check the command after --')
  }
  const terminalAtStart = readStat('self')?.terminal ?? 0
  const since = new Date()
  let child: SpawnedProcess
  try {
    const what = { file, args: command, environment, directory, ignoredSignals, ...limits }
    readyToSpawn()
    spawning?.()
    child = spawnJob({ ...what, ...(stdio === undefined ? {} : { stdio }), descriptors })
  } catch (error) {
    const where = directory === undefined ? '' : `; check that ${directory} can be entered`
    throw failed(`${explainSpawn(error)}${where}`, { cause: error, retry: isOurs(error) })
  }
  const { pid } = child
  spawned?.(pid)
  let running = true
  const ended = child.ended.then((end) => {
    running = false
    return end
  })

  const signal = (wanted: string | number): boolean => {
    const number = typeof wanted === 'number' ? wanted : signalNumber(wanted)
    return running && number !== undefined && sendSignal(pid, number)
  }
  const hasItAlready = (signalName: string): boolean => {
    if (signalName === 'INT' || signalName === 'QUIT') return isForeground()
    // Without its terminal a session has been hung up, and with it all of its processes (setsid(2), tty(4)).
    return signalName === 'HUP' && terminalAtStart !== 0 && readStat('self')?.terminal === 0
  }
  return {
    job: localJob({
      ...rest,
      ...limits,
      environment,
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
