import {
  type Argument,
  bytesByName,
  callback,
  checkCall,
  count,
  date,
  either,
  listOf,
  name,
  objectWith,
  options as optionsOf,
  required,
  text,
} from '../core/check-options.js'
import { SshjobError } from '../core/errors.js'
import { findOpenFilesLimit } from '../process/open-files.js'
import { shimShell } from '../process/shim-shell.js'
import { openTerminal, type Terminal, terminalUnavailable } from '../process/terminal.js'
import { type Account, readAccount } from './account.js'
import { chooseDirectory, currentDirectory, OWN, ownDirectory } from './directory.js'
import {
  type Environment,
  makeJobEnvironment,
  makeSessionEnvironment,
  readEnvironment,
} from './environment.js'
import type { JobFiles } from './inside.js'
import type { Job, JobProcess, ProcessRequest } from './job.js'
import { type FileService, localInside } from './local-inside.js'
import { startSession } from './session-process.js'
import { chooseShell } from './shell.js'

export interface LocalJobOptions {
  id: string
  /** The command and its arguments, for people. */
  command: readonly string[]
  /** Default: this process's own, without what is the server's (see makeJobEnvironment). */
  environment?: Environment
  /** Where sessions start: the first of them that can be entered. Default: this process's working directory. */
  directory?: string | readonly string[]
  /** Default: the account's name, or the uid number where the account has none. */
  user?: string
  /** Shells to try before the job's SHELL, after those that a session asks for. Default: none. */
  shells?: readonly string[]
  /** The job's processes now, outermost first. Default: this process. */
  pids?: () => readonly number[]
  /** When the job started. Default: now. */
  since?: Date
  /**
   * The soft limit of open files that the job has, and its sessions get: Node.js has raised its own. Default: what the
   * process that started us has, as far as that can be told; else ours.
   */
  openFiles?: number
  /** What serves files, so that a file system that does not answer keeps nothing of this process. Default: itself. */
  fileService?: FileService
}

const LOCAL_JOB_CALL: readonly Argument[] = [
  [
    'options',
    optionsOf<LocalJobOptions>({
      id: required(name),
      command: required(listOf(text)),
      environment: bytesByName,
      directory: either('a string or an array of them', name, listOf(name)),
      user: name,
      shells: listOf(name),
      pids: callback,
      since: date,
      openFiles: count,
      fileService: objectWith('an object with the method open', 'open'),
    }),
  ],
]

/**
 * A job that this process is inside of: its sessions are children of this process.
 * @throws SshjobError 'usage' for an option that is wrong
 */
export function localJob(options: LocalJobOptions): Job {
  checkCall('localJob', [options], LOCAL_JOB_CALL)
  const pids = options.pids ?? ((): number[] => [process.pid])
  const environment = options.environment ?? makeJobEnvironment(readEnvironment())
  const directories = [options.directory ?? currentDirectory() ?? OWN].flat()
  const account: Account = readAccount()
  // Asked now, while who started us is still there to tell.
  const openFiles = options.openFiles ?? findOpenFilesLimit()
  const text = (name: string): string | undefined => environment.get(name)?.toString()

  /** Our own directory is inherited, not looked up. */
  const candidates = (home: string | undefined): (string | undefined)[] => {
    const own = currentDirectory()
    return [...directories.map((directory) => (directory === own ? OWN : directory)), home]
  }

  async function spawn(request: ProcessRequest): Promise<JobProcess> {
    if (request.command?.includes(0)) {
      throw new SshjobError('spawn-failed', 'The command holds a zero byte, which no command line can have.')
    }
    const home = request.environment.get('HOME')?.toString() ?? text('HOME') ?? account.home
    const [{ shell, notices }, place] = await Promise.all([
      chooseShell({
        requested: [...(request.shells ?? []), ...(options.shells ?? [])],
        jobShell: text('SHELL'),
        accountShell: account.shell,
        path: text('PATH'),
        last: shimShell(),
      }),
      chooseDirectory(candidates(home)),
    ])
    const { terminal } = request
    const opened = terminal === undefined ? undefined : openTerminal(terminal, terminal.modes)
    try {
      const variables = variablesOf(request, shell, opened)
      if (place.directory !== OWN) for (const name of ['PWD', 'OLDPWD']) variables.delete(name)
      const program = {
        file: shell,
        // Not a login shell: /etc/profile would set PATH anew, and the session is in the job, not at a login.
        args: request.command === undefined ? [shell] : [shell, '-c', request.command],
        environment: variables,
        directory: place.directory === OWN ? undefined : place.directory,
        openFiles,
      }
      return startSession(program, opened, [...notices, ...place.notices])
    } catch (error) {
      opened?.close()
      throw error
    }
  }

  function variablesOf(request: ProcessRequest, shell: string, terminal: Terminal | undefined) {
    return makeSessionEnvironment(environment, {
      requested: request.environment,
      terminal: terminal && { term: request.terminal?.term ?? '', name: terminal.name },
      jobId: options.id,
      jobPids: pids(),
      account,
      shell,
    })
  }

  async function place(): Promise<Pick<JobFiles, 'directory' | 'home'>> {
    const home = text('HOME') ?? account.home
    const { directory } = await chooseDirectory(candidates(home), 'taken')
    const start = directory === OWN ? ownDirectory() : directory
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
    inside: () => localInside({ place, fileService: options.fileService }),
  }
}
