import fs from 'node:fs/promises'
import path from 'node:path'
import { SshjobError, systemCode } from '../core/errors.js'
import { statIfThere } from './claim.js'

type Environment = Readonly<Record<string, string | undefined>>

const GROUP_AND_OTHERS = 0o077
const GROUP_OR_OTHERS_WRITE = 0o022
const STICKY = 0o1000

/**
 * The folder that holds this user's sockets: $XDG_RUNTIME_DIR/sshjob, or sshjob-UID in the temporary directory where
 * that variable is not set or names no folder of ours (after su(1) it names another user's). Made if missing.
 * @throws SshjobError 'unsafe-directory' unless it is a folder, no symlink, of this user and of nobody else
 */
export async function runtimeDirectory(environment: Environment = process.env): Promise<string> {
  const directory = (await xdgDirectory(environment)) ?? temporaryDirectory(environment)
  await makePrivateDirectory(directory)
  return directory
}

/**
 * Every folder in which a starter of this user may have put its socket, the own first: a job that a batch system
 * started has no XDG_RUNTIME_DIR, the terminal that looks for it has one. Those that are there; of the others'
 * only those that are safe.
 * @throws SshjobError 'unsafe-directory' about the own
 */
export async function runtimeDirectories(environment: Environment = process.env): Promise<string[]> {
  const own = (await xdgDirectory(environment)) ?? temporaryDirectory(environment)
  const session = environment.XDG_RUNTIME_DIR === undefined ? `/run/user/${userId()}/sshjob` : own
  const found: string[] = []
  for (const directory of new Set([own, temporaryDirectory(environment), session])) {
    const complaint = await complaintAbout(directory)
    if (complaint === undefined) found.push(directory)
    else if (directory === own && complaint !== 'missing') throw unsafe(directory, complaint)
  }
  return found
}

/** Where a starter may put its socket, best first; none need be there, or safe. */
export async function candidateDirectories(environment: Environment = process.env): Promise<string[]> {
  const xdg = await xdgDirectory(environment)
  const shared = [`/run/user/${userId()}/sshjob`, temporaryDirectory({})]
  return [...new Set([...(xdg === undefined ? [] : [xdg]), temporaryDirectory(environment), ...shared])]
}

/** @throws SshjobError 'unsafe-directory' */
export async function makePrivateDirectory(directory: string): Promise<void> {
  try {
    await fs.mkdir(directory, { mode: 0o700 })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST')
      throw unsafe(directory, `it can't be made (${systemCode(error)})`, error)
  }
  const complaint = await complaintAbout(directory)
  if (complaint !== undefined) throw unsafe(directory, complaint)
}

/** What makes a folder unfit to hold sockets that whoever reaches them may use; 'missing' where it isn't there. */
async function complaintAbout(directory: string): Promise<string | undefined> {
  const status = await statIfThere(directory)
  if (status === undefined) return 'missing'
  const { mode, uid } = status
  if (status.isSymbolicLink()) return 'it is a symbolic link'
  if (!status.isDirectory()) return 'it is not a folder'
  if (uid !== userId()) return `it belongs to user ${uid}`
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    return `others have access to it (mode ${(mode & 0o777).toString(8)}; \`chmod 700\` mends that)`
  }
  // Whoever may rename things in the folder above can put another one in its place.
  const above = await fs.stat(path.dirname(directory))
  const writable = (above.mode & GROUP_OR_OTHERS_WRITE) !== 0 && (above.mode & STICKY) === 0
  if (writable) return 'others may replace it, because the folder above is writable for them'
  return undefined
}

async function xdgDirectory(environment: Environment): Promise<string | undefined> {
  const base = environment.XDG_RUNTIME_DIR
  if (base === undefined || !path.isAbsolute(base)) return undefined
  const status = await fs.stat(base).catch(() => undefined)
  if (status === undefined || !status.isDirectory() || status.uid !== userId()) return undefined
  return path.join(base, 'sshjob')
}

function temporaryDirectory(environment: Environment): string {
  const base = environment.TMPDIR
  return path.join(base !== undefined && path.isAbsolute(base) ? base : '/tmp', `sshjob-${userId()}`)
}

function userId(): number {
  // Undefined on Windows alone, where there is none of this.
  return process.geteuid?.() ?? -1
}

function unsafe(directory: string, complaint: string, cause?: unknown): SshjobError {
  return new SshjobError('unsafe-directory', `The folder ${directory} can't hold sockets: ${complaint}.`, {
    cause,
  })
}
