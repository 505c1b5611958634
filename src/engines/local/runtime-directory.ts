import fs from 'node:fs/promises'
import path from 'node:path'
import { messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { DIRECTORY_LOOK_MS } from '../../core/limits.js'
import { whyUnsafe } from '../../core/path-safety.js'
import { withinTime } from '../../core/within-time.js'
import { statIfThere } from '../claim.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Names the one directory that sockets are in, for those who want them apart: nothing else is looked at then. */
export const DIRECTORY_VARIABLE = 'SSHJOB_RUNTIME_DIR'

/**
 * The same for all processes of a machine: a batch system gives each job a TMPDIR of its own, and who looks for the job
 * can't know it; cron, su, sudo and editors have no XDG_RUNTIME_DIR, and what that names is gone after the logout.
 */
const SHARED = ['/tmp', '/dev/shm', '/var/tmp'] as const

const GROUP_AND_OTHERS = 0o077

/**
 * File systems that several machines mount at once, by what statfs(2) calls them: a socket of another machine looks
 * like one of a process that was killed. FUSE and 9P are not among them: containers have them as their root.
 */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x00c36400, 'Ceph'],
  [0x19830326, 'BeeGFS'],
  [0xaad7aaea, 'PanFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
])

/**
 * Every directory in which a starter of this user may have its socket, in the order in which starters try them and
 * clients look: that of DIRECTORY_VARIABLE alone where it is set; else sshjob-UID in the places that all processes
 * share, then what depends on the environment. None need be there, or safe.
 * @throws SshjobError 'usage' if DIRECTORY_VARIABLE names no absolute path
 */
export function candidateDirectories(environment: Environment = process.env): string[] {
  const given = environment[DIRECTORY_VARIABLE]
  if (given !== undefined && given !== '') {
    if (path.isAbsolute(given)) return [path.resolve(given)]
    throw new SshjobError('usage', `${DIRECTORY_VARIABLE} is '${given}', and has to be an absolute path.`)
  }
  const own = `sshjob-${userId()}`
  const { XDG_RUNTIME_DIR: runtime, TMPDIR: temporary } = environment
  return [
    ...new Set([
      ...sharedDirectories(),
      ...(isPath(runtime) ? [path.join(runtime, 'sshjob')] : []),
      ...(isPath(temporary) ? [path.join(temporary, own)] : []),
    ]),
  ]
}

/** Those of the candidates that depend on no variable. */
export function sharedDirectories(): string[] {
  return [...SHARED.map((base) => path.join(base, `sshjob-${userId()}`)), `/run/user/${userId()}/sshjob`]
}

/** What keeps a directory from being used: it isn't there, it is somebody else's, or it is ours and yet not safe. */
export interface Complaint {
  kind: 'missing' | 'foreign' | 'ours'
  why: string
}

export interface Refused extends Complaint {
  directory: string
}

/**
 * Those of these directories that are there and safe, one by one, so that whoever has found a job looks no further: one
 * that lies on a file system that hangs is given up after DIRECTORY_LOOK_MS.
 * @param refused gets those that are left out
 */
export async function* usableDirectories(
  directories: readonly string[],
  refused: Refused[] = [],
): AsyncGenerator<string> {
  for (const directory of directories) {
    const complaint = await complaintInTime(directory)
    if (complaint === undefined) yield directory
    else refused.push({ directory, ...complaint })
  }
}

/**
 * The candidates that can be used, each made if it is missing, once it is asked for.
 * @param failures gets why the others can't
 */
export async function* madeDirectories(
  environment: Environment = process.env,
  failures: SshjobError[] = [],
): AsyncGenerator<string> {
  for (const directory of candidateDirectories(environment)) {
    try {
      await makePrivateDirectory(directory)
    } catch (error) {
      if (!(error instanceof SshjobError)) throw error
      failures.push(error)
      continue
    }
    yield directory
  }
}

/** The first of them. @throws SshjobError 'unsafe-directory' with the reasons if there is none */
export async function runtimeDirectory(environment: Environment = process.env): Promise<string> {
  const failures: SshjobError[] = []
  for await (const directory of madeDirectories(environment, failures)) return directory
  throw new SshjobError('unsafe-directory', failures.map(({ message }) => message).join(' '))
}

/**
 * Makes a directory, if it is not there, that is of this user and of nobody else.
 * @throws SshjobError 'unsafe-directory' for what is none, is a symlink or somebody else's, or can be replaced by others
 */
export async function makePrivateDirectory(directory: string): Promise<void> {
  const found = await complaintInTime(directory)
  if (found === undefined) return
  if (found.kind !== 'missing') throw unsafe(directory, found.why)
  try {
    const complaint = await complaintAboutAbove(path.dirname(directory))
    if (complaint !== undefined) throw unsafe(directory, complaint.why)
    await fs.mkdir(directory, { mode: 0o700 })
  } catch (error) {
    if (error instanceof SshjobError) throw error
    // Another process of ours may have been faster; of whom it is in truth, is looked at next.
    if (systemCode(error) !== 'EEXIST')
      throw unsafe(directory, `it can't be made: ${messageOf(error)}`, error)
  }
  const complaint = await complaintAbout(directory)
  if (complaint !== undefined) throw unsafe(directory, complaint.why)
}

/** What makes a directory unfit to hold sockets that whoever reaches them may use. */
async function complaintAbout(directory: string): Promise<Complaint | undefined> {
  try {
    const status = await statIfThere(directory)
    if (status === undefined) return missing()
    const { mode, uid } = status
    if (uid !== userId()) return foreign(`it belongs to user ${uid}`)
    if (status.isSymbolicLink()) return ours('it is a symbolic link')
    if (!status.isDirectory()) return ours('it is not a folder')
    if ((mode & GROUP_AND_OTHERS) !== 0) {
      return ours(`others have access to it (mode ${(mode & 0o777).toString(8)}; \`chmod 700\` mends that)`)
    }
    return (await complaintAboutAbove(path.dirname(directory))) ?? (await complaintAboutFileSystem(directory))
  } catch (error) {
    // Such as another user's XDG_RUNTIME_DIR, after su(1).
    const code = systemCode(error)
    if (code === undefined) throw error
    return code === 'ENOTDIR' ? missing() : foreign(`it can't be looked at: ${messageOf(error)}`)
  }
}

/** Whoever may rename things in a directory above can put another one in its place. */
async function complaintAboutAbove(directory: string): Promise<Complaint | undefined> {
  const above = await whyUnsafe(directory)
  return above === undefined ? undefined : ours(`others may replace it: ${above}`)
}

async function complaintAboutFileSystem(directory: string): Promise<Complaint | undefined> {
  const { type } = await fs.statfs(directory)
  const name = NETWORK_FILE_SYSTEMS.get(type)
  return name === undefined
    ? undefined
    : ours(`it is on a file system that other machines have as well (${name})`)
}

/** The same, not waited for longer than DIRECTORY_LOOK_MS. */
function complaintInTime(directory: string): Promise<Complaint | undefined> {
  return withinTime(complaintAbout(directory), DIRECTORY_LOOK_MS, () =>
    ours(`its file system did not answer in ${DIRECTORY_LOOK_MS / 1000} s`),
  )
}

const missing = (): Complaint => ({ kind: 'missing', why: 'it is not there' })
const foreign = (why: string): Complaint => ({ kind: 'foreign', why })
const ours = (why: string): Complaint => ({ kind: 'ours', why })

function isPath(text: string | undefined): text is string {
  return text !== undefined && path.isAbsolute(text)
}

function userId(): number {
  // Undefined on Windows alone, where there is none of this.
  return process.geteuid?.() ?? -1
}

function unsafe(directory: string, complaint: string, cause?: unknown): SshjobError {
  return new SshjobError('unsafe-directory', `The folder ${directory} can't be used: ${complaint}.`, {
    cause,
  })
}
