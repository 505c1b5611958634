import { accessSync, constants, statSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { SshjobError } from '../core/errors.js'

/** Programs that stand in an account for "no login here", nologin(8). */
const NOT_SHELLS = ['nologin', 'false', 'true', 'sync', 'halt', 'shutdown', 'null']

/** Where execvp(3) looks without a PATH. */
export const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Finds a program as execvp(3) does: a name without '/' in the folders of PATH. Undefined if it isn't there. */
export function findProgram(name: string, path: string | undefined, directory: string): string | undefined {
  if (name === '' || name.includes('\0')) return undefined
  if (name.includes('/')) {
    const file = isAbsolute(name) ? name : join(directory, name)
    return isExecutable(file) ? file : undefined
  }
  return (path ?? DEFAULT_PATH)
    .split(':')
    .map((folder) => join(isAbsolute(folder) ? folder : join(directory, folder), name))
    .find(isExecutable)
}

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

const isReal = (shell: string): boolean => shell !== '' && !NOT_SHELLS.includes(basename(shell))

/**
 * Chooses the shell of a session: the first that exists here and may be run. A SHELL or an account that says
 * nologin never stops a session: whoever may enter the job may run programs in it.
 * @throws SshjobError 'no-shell'
 */
export function chooseShell(choice: ShellChoice): string {
  const own = [choice.jobShell, choice.accountShell].filter((shell) => shell !== undefined).filter(isReal)
  const candidates = [
    ...choice.requested,
    ...own,
    '/bin/bash',
    '/bin/sh',
    ...(choice.last ? [choice.last] : []),
  ]
  for (const candidate of candidates) {
    if (candidate.includes('/') && !isAbsolute(candidate)) continue
    const found = findProgram(candidate, choice.path, '/')
    if (found !== undefined) return found
  }
  throw new SshjobError(
    'no-shell',
    `No shell can be run in the job (tried ${[...new Set(candidates)].join(', ')}): ask for one that is there with --shells.`,
  )
}

/**
 * The directory that a session starts in: the job's, else HOME, else '/'. The job's may have been deleted since,
 * or be closed to this user.
 */
export function chooseDirectory(candidates: readonly (string | undefined)[]): string {
  for (const candidate of candidates) {
    if (candidate === undefined || !isAbsolute(candidate)) continue
    try {
      accessSync(candidate, constants.X_OK)
      if (statSync(candidate).isDirectory()) return candidate
    } catch {
      // The next one, then: a missing directory never stops a session.
    }
  }
  return '/'
}
