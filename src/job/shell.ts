import { basename, isAbsolute } from 'node:path'
import { SshjobError } from '../core/errors.js'
import { PATH_LOOK_TIMEOUT_MS } from '../core/limits.js'
import { lookAt } from '../process/bounded-look.js'
import { findProgram, isExecutable } from '../process/find-program.js'

/** Programs that stand in an account for "no login here", nologin(8). */
const NOT_SHELLS = ['nologin', 'false', 'true', 'sync', 'halt', 'shutdown', 'null']
/** Every system has it: what is left to be tried where nothing can be looked at any more. */
const LAST_RESORT = '/bin/sh'

export interface ShellChoice {
  /** What the client or the server asks for, in order; absolute paths, or names to be found in the job's PATH. */
  requested: readonly string[]
  /** The job's SHELL. */
  jobShell: string | undefined
  accountShell: string | undefined
  /** The job's PATH. */
  path: string | undefined
  /** The one to take where the job has none at all. Default: there is none. */
  last?: string | undefined
}

export interface ChosenShell {
  /** An absolute path. */
  readonly shell: string
  /** What was passed over because its file system does not answer, a sentence. */
  readonly notices: readonly string[]
}

const isReal = (shell: string): boolean => shell !== '' && !NOT_SHELLS.includes(basename(shell))

/**
 * Chooses the shell of a session: the first that exists here and may be run. A SHELL or an account that says
 * nologin never stops a session: whoever may enter the job may run programs in it.
 * @throws SshjobError 'no-shell'
 */
export async function chooseShell(choice: ShellChoice): Promise<ChosenShell> {
  const own = [choice.jobShell, choice.accountShell].filter((shell) => shell !== undefined).filter(isReal)
  const candidates = [
    ...choice.requested,
    ...own,
    '/bin/bash',
    LAST_RESORT,
    ...(choice.last ? [choice.last] : []),
  ]
  const silent: string[] = []
  const look = async (file: Buffer): Promise<boolean> => {
    const answer = await lookAt(file.toString(), isExecutable)
    if (answer === 'silent') silent.push(file.toString())
    return answer === 'yes'
  }
  const chosen = (shell: string): ChosenShell => {
    const others = silent.filter((file) => file !== shell).join(', ')
    const sentence = `${others} gave no answer within ${PATH_LOOK_TIMEOUT_MS / 1000} s: the shell is ${shell}.`
    return { shell, notices: others === '' ? [] : [sentence] }
  }
  for (const candidate of candidates) {
    if (candidate.includes('/') && !isAbsolute(candidate)) continue
    const found = await findProgram(candidate, { path: choice.path, directory: '/' }, look)
    if (found !== undefined) return chosen(found.toString())
  }
  if (silent.includes(LAST_RESORT)) return chosen(LAST_RESORT)
  throw new SshjobError(
    'no-shell',
    `No shell can be run in the job (tried ${[...new Set(candidates)].join(', ')}): ask for one that is there with --shells.`,
  )
}
