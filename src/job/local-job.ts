import {
  type Argument,
  bytesByName,
  callback,
  checkCall,
  date,
  listOf,
  name,
  options as optionsOf,
  required,
  text,
} from '../core/check-options.js'
import { SshjobError } from '../core/errors.js'
import { type Account, readAccount } from './account.js'
import {
  type Environment,
  makeJobEnvironment,
  makeSessionEnvironment,
  readEnvironment,
} from './environment.js'
import type { Job, JobFiles, JobProcess, ProcessRequest } from './job.js'
import { prepareLaunch } from './launcher.js'
import { findOpenFilesLimit } from './open-files.js'
import { preparePipes } from './pipes.js'
import { startSession } from './session-process.js'
import { chooseDirectory, chooseShell } from './shell.js'
import { shimShell } from './shim-shell.js'
import { sttyWords } from './stty.js'
import { openTerminal, type Terminal, terminalUnavailable } from './terminal.js'

export interface LocalJobOptions {
  id: string
  /** The command and its arguments, for people. */
  command: readonly string[]
  /** Default: this process's own, without what is the server's (see makeJobEnvironment). */
  environment?: Environment
  /** Default: this process's working directory. */
  directory?: string
  /** Default: the account's name, or the uid number where the account has none. */
  user?: string
  /** Shells to try before the job's SHELL, after those that a session asks for. Default: none. */
  shells?: readonly string[]
  /** The job's processes now, outermost first. Default: this process. */
  pids?: () => readonly number[]
  /** When the job started. Default: now. */
  since?: Date
}

const LOCAL_JOB_CALL: readonly Argument[] = [
  [
    'options',
    optionsOf<LocalJobOptions>({
      id: required(name),
      command: required(listOf(text)),
      environment: bytesByName,
      directory: name,
      user: name,
      shells: listOf(name),
      pids: callback,
      since: date,
    }),
  ],
]

/** The working directory, or undefined if it has been deleted: process.cwd() throws then. */
export function currentDirectory(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

/**
 * A job that this process is inside of: its sessions are children of this process.
 * @throws SshjobError 'usage' for an option that is wrong
 */
export function localJob(options: LocalJobOptions): Job {
  checkCall('localJob', [options], LOCAL_JOB_CALL)
  const pids = options.pids ?? ((): number[] => [process.pid])
  const environment = options.environment ?? makeJobEnvironment(readEnvironment())
  const directory = options.directory ?? currentDirectory()
  const account: Account = readAccount()
  // Asked now, while who started us is still there to tell.
  const openFiles = findOpenFilesLimit()
  // So that the first command needn't wait for them.
  preparePipes()
  const text = (name: string): string | undefined => environment.get(name)?.toString()

  function spawn(request: ProcessRequest): JobProcess {
    if (request.command?.includes(0)) {
      throw new SshjobError('spawn-failed', 'The command holds a zero byte, which no command line can have.')
    }
    const shell = chooseShell({
      requested: [...(request.shells ?? []), ...(options.shells ?? [])],
      jobShell: text('SHELL'),
      accountShell: account.shell,
      path: text('PATH'),
      last: shimShell(),
    })
    const terminal = request.terminal === undefined ? undefined : openTerminal(request.terminal)
    try {
      return start(request, shell, terminal)
    } catch (error) {
      terminal?.close()
      throw error
    }
  }

  function start(request: ProcessRequest, shell: string, terminal: Terminal | undefined): JobProcess {
    const variables = makeSessionEnvironment(environment, {
      requested: request.environment,
      terminal: terminal && { term: request.terminal?.term ?? '', name: terminal.name },
      jobId: options.id,
      jobPids: pids(),
      account,
      shell,
    })
    // Not a login shell: /etc/profile would set PATH anew, and the session is in the job, not at a login.
    const program = { file: shell, args: request.command === undefined ? [] : ['-c', request.command] }
    const launch = prepareLaunch(program, variables, {
      terminal: terminal?.name,
      stty: sttyWords(request.terminal?.modes ?? []),
      openFiles,
    })
    return startSession(launch, chooseDirectory([directory, variables.get('HOME')?.toString()]), terminal)
  }

  function files(): JobFiles {
    const home = text('HOME') ?? account.home
    const start = chooseDirectory([directory, home])
    return { directory: start, home: home ?? start }
  }

  return {
    id: options.id,
    command: options.command,
    user: options.user ?? account.name,
    since: options.since ?? new Date(),
    pids,
    terminalUnavailable,
    spawn,
    files,
  }
}
