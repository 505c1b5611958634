import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { PATH_LOOK_TIMEOUT_MS } from '../core/limits.js'
import { lookAt } from '../process/bounded-look.js'

/** Our own working directory, wherever it is: no path leads there that could wait, or not be UTF-8. */
export const OWN = '.'

export interface ChosenDirectory {
  /** An absolute path, or OWN. */
  readonly directory: string
  /** What was passed over because its file system does not answer, a sentence. */
  readonly notices: readonly string[]
}

/** The working directory, or undefined if it has been deleted: process.cwd() throws then. */
export function currentDirectory(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

/** A path for files that leads to our own working directory, also from another process, and where its name is not UTF-8. */
export function ownDirectory(): string {
  const path = currentDirectory() ?? '/'
  return path.includes('\ufffd') ? `/proc/${process.pid}/cwd` : path
}

async function canBeEntered(path: string): Promise<boolean> {
  const status = await stat(path)
  // We are in ours already, whoever may enter it. One that was deleted has no name left.
  if (path === OWN) return status.nlink > 0
  await access(path, constants.X_OK)
  return status.isDirectory()
}

/**
 * The directory that a session starts in: the job's, else HOME, else '/'. The job's may have been deleted since, be
 * closed to this user, or be on a file system that does not answer: a shell in it would wait with its first look.
 * @param silent whether one that does not answer is passed over, or taken: files that are named from there are no others
 */
export async function chooseDirectory(
  candidates: readonly (string | undefined)[],
  silent: 'passed over' | 'taken' = 'passed over',
): Promise<ChosenDirectory> {
  const left: string[] = []
  const chosen = (directory: string): ChosenDirectory => {
    const sentence = `${left.join(', ')} gave no answer within ${PATH_LOOK_TIMEOUT_MS / 1000} s: the session starts in ${directory}.`
    return { directory, notices: left.length === 0 ? [] : [sentence] }
  }
  for (const candidate of candidates) {
    if (candidate === undefined || (candidate !== OWN && !isAbsolute(candidate))) continue
    const answer = await lookAt(candidate, canBeEntered)
    if (answer === 'yes' || (answer === 'silent' && silent === 'taken')) return chosen(candidate)
    if (answer === 'silent') left.push(candidate === OWN ? (currentDirectory() ?? OWN) : candidate)
  }
  return chosen('/')
}
