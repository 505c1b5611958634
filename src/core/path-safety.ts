import { lstat, readFile, readlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SshjobError, systemCode } from './errors.js'
import { SYMLINKS_MAX } from './limits.js'

const OTHERS_MAY_WRITE = 0o022
const STICKY = 0o1000
/** The user that files of users outside of a user namespace seem to belong to: user_namespaces(7). */
const OVERFLOW_UID = 65_534
/** Where a directory of this user's alone may be made: the last is there in containers whose /tmp is a plain volume. */
const TEMPORARY = ['/tmp', '/dev/shm']

/**
 * Why somebody who is neither root nor this user could put another file or directory in the place of this one, or of
 * one on the way to it; undefined where nobody could. What is not there can only be made by whoever may write to the
 * directory above, so that a path may end in names that are missing.
 *
 * Each link is followed and each directory looked at by itself, as the kernel does (path_resolution(7)). To be asked
 * after a directory was made, and not before: until then somebody else may make it, in /tmp for example.
 *
 * On the way, another user's directory is a complaint for root alone. Batch systems keep the directories of jobs below
 * one of an account of their own, which runs those jobs and could do worse.
 * @param user who would be harmed. Default: whom this process runs as
 */
export async function whyUnsafe(
  target: string,
  user = process.geteuid?.() ?? -1,
): Promise<string | undefined> {
  const pending = namesIn(path.resolve(target))
  let current = '/'
  let links = 0
  const rootComplaint = await complaintAbout('/', await lstat('/'), user, pending.length === 0)
  if (rootComplaint !== undefined) return rootComplaint
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      current = path.dirname(current)
      continue
    }
    const next = path.join(current, name)
    const status = await statusOf(next)
    if (typeof status !== 'object') return status
    const complaint = await complaintAbout(next, status, user, pending.length === 0)
    if (complaint !== undefined) return complaint
    if (status.isSymbolicLink()) {
      if (++links > SYMLINKS_MAX) return `${next} leads to links without an end`
      const led = await readlink(next)
      if (path.isAbsolute(led)) current = '/'
      pending.unshift(...namesIn(led))
    } else current = next
  }
  return undefined
}

const namesIn = (text: string): string[] => text.split('/').filter((name) => name !== '' && name !== '.')

interface Status {
  uid: number
  mode: number
  isDirectory(): boolean
  isFile(): boolean
  isSymbolicLink(): boolean
}

/** Undefined where there is nothing, and a complaint where it can't be known. */
async function statusOf(file: string): Promise<Status | string | undefined> {
  try {
    return await lstat(file)
  } catch (error) {
    const code = systemCode(error)
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : `${file} can't be looked at (${code})`
  }
}

async function complaintAbout(
  file: string,
  status: Status,
  user: number,
  last: boolean,
): Promise<string | undefined> {
  // /dev/null, say: nobody changes what it is by writing to it.
  if (!status.isDirectory() && !status.isFile() && !status.isSymbolicLink()) return undefined
  const { uid, mode } = status
  const onTheWay = user !== 0 && !last
  if (uid !== 0 && uid !== user && !onTheWay && !(await isOfOutside(uid)))
    return `${file} belongs to user ${uid}`
  if (status.isSymbolicLink()) return undefined // its mode says nothing: symlink(7)
  const sticky = status.isDirectory() && (mode & STICKY) !== 0
  if ((mode & OTHERS_MAY_WRITE) === 0 || sticky) return undefined
  return `others may write to ${file} (mode ${(mode & 0o7777).toString(8)})`
}

/**
 * Whether this is nobody's id here, but stands for everybody outside of the user namespace that we are in: the root of
 * the host among them, to whom all that a container is given belongs.
 */
async function isOfOutside(uid: number): Promise<boolean> {
  return uid === OVERFLOW_UID && !(await isInitialNamespace())
}

async function isInitialNamespace(): Promise<boolean> {
  try {
    return /^\s*0\s+0\s+4294967295\s*$/.test(await readFile('/proc/self/uid_map', 'latin1'))
  } catch {
    return true // without /proc nothing is known: the stricter answer
  }
}

/**
 * The directory for temporary files, in which nobody else can touch what this user makes: what TMPDIR names, unless
 * another user could, as after su(1), which leaves it as it was.
 * @param preferred Default: as os.tmpdir() has it
 * @throws SshjobError 'unsafe-directory' where there is none
 */
export async function temporaryDirectory(preferred = tmpdir()): Promise<string> {
  const given = path.isAbsolute(preferred) ? [preferred] : []
  const complaints: string[] = []
  for (const directory of [...given, ...TEMPORARY]) {
    const complaint = (await isThere(directory)) ? await whyUnsafe(directory) : `there is no ${directory}`
    if (complaint === undefined) return directory
    complaints.push(complaint)
  }
  throw new SshjobError(
    'unsafe-directory',
    `There is no safe place for temporary files: ${complaints.join('; ')}. Set TMPDIR to a directory of yours.`,
  )
}

async function isThere(directory: string): Promise<boolean> {
  return typeof (await statusOf(directory)) === 'object'
}
