import fs from 'node:fs/promises'
import path from 'node:path'
import { SshjobError, systemCode } from '../core/errors.js'
import { temporaryDirectory, whyUnsafe } from '../core/path-safety.js'
import { statIfThere } from './claim.js'

type Environment = Readonly<Record<string, string | undefined>>

const GROUP_AND_OTHERS = 0o077

/**
 * The folder that holds this user's sockets: $XDG_RUNTIME_DIR/sshjob, or sshjob-UID in the temporary directory where
 * that variable is not set or names no folder of ours (after su(1) it names another user's, as TMPDIR may). Made if
 * missing.
 * @throws SshjobError 'unsafe-directory' unless it is a folder, no symlink, of this user and of nobody else
 */
export async function runtimeDirectory(environment: Environment = process.env): Promise<string> {
  const directory = (await xdgDirectory(environment)) ?? (await inTemporary(environment))
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
  const xdg = await xdgDirectory(environment)
  // Where there is no safe place for temporary files, nobody's socket is in it.
  const temporary = await inTemporary(environment).catch((error: unknown) => {
    if (xdg === undefined) throw error
    return xdg
  })
  const own = xdg ?? temporary
  const session = environment.XDG_RUNTIME_DIR === undefined ? `/run/user/${userId()}/sshjob` : own
  const found: string[] = []
  for (const directory of new Set([own, temporary, session])) {
    const complaint = await complaintAbout(directory)
    if (complaint === undefined) found.push(directory)
    else if (directory === own && complaint !== 'missing') throw unsafe(directory, complaint)
  }
  return found
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
  // Whoever may rename things in a folder above can put another one in its place.
  const above = await whyUnsafe(path.dirname(directory))
  return above && `others may replace it: ${above}`
}

async function xdgDirectory(environment: Environment): Promise<string | undefined> {
  const base = environment.XDG_RUNTIME_DIR
  if (base === undefined || !path.isAbsolute(base)) return undefined
  const status = await fs.stat(base).catch(() => undefined)
  if (status === undefined || !status.isDirectory() || status.uid !== userId()) return undefined
  return path.join(base, 'sshjob')
}

/** Where several processes have to find it, so it is not what the system's other variables name. */
async function inTemporary({ TMPDIR = '/tmp' }: Environment): Promise<string> {
  return path.join(await temporaryDirectory(TMPDIR), `sshjob-${userId()}`)
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
