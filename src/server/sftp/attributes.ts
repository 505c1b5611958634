import { close, constants, fchmod, fchown, ftruncate, futimes, open } from 'node:fs'
import { chmod, chown, lchown, lutimes, utimes } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type Attributes, FX } from '../../ssh/sftp-protocol.js'
import { fileOffset } from './context.js'
import { SftpFailure } from './failure.js'

const openFile = promisify(open)
const closeFile = promisify(close)
const truncateFile = promisify(ftruncate)
const setMode = promisify(fchmod)
const setTimes = promisify(futimes)
const setOwner = promisify(fchown)

const PERMISSIONS = 0o7777
/** open(2): a name for the file, and no access to it. Node.js has no name for it. */
const O_PATH = 0o10_000_000

/** How to set each attribute. */
interface Setters {
  size(size: number): Promise<void>
  mode(mode: number): Promise<void>
  times(atime: number, mtime: number): Promise<void>
  owner(uid: number, gid: number): Promise<void>
}

/** As sftp-server: size, mode, times, owner; each is tried, whatever became of the others, and the last failure counts. */
async function setAll({ size, mode, times, owner }: Attributes, set: Setters): Promise<void> {
  const steps = [
    size === undefined ? undefined : async () => set.size(fileOffset(size)),
    mode === undefined ? undefined : () => set.mode(mode & PERMISSIONS),
    times === undefined ? undefined : () => set.times(times.atime, times.mtime),
    owner === undefined ? undefined : () => set.owner(owner.uid, owner.gid),
  ]
  const failures: unknown[] = []
  for (const step of steps) await step?.().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures.at(-1)
}

export function setOfPath(path: Buffer, attributes: Attributes): Promise<void> {
  return setAll(attributes, {
    size: (size) => withFile(path, constants.O_WRONLY | constants.O_NONBLOCK, (fd) => truncateFile(fd, size)),
    mode: (mode) => chmod(path, mode),
    times: (atime, mtime) => utimes(path, atime, mtime),
    owner: (uid, gid) => chown(path, uid, gid),
  })
}

export function setOfFile(fd: number, attributes: Attributes): Promise<void> {
  return setAll(attributes, {
    size: (size) => truncateFile(fd, size),
    mode: (mode) => setMode(fd, mode),
    times: (atime, mtime) => setTimes(fd, atime, mtime),
    owner: (uid, gid) => setOwner(fd, uid, gid),
  })
}

/** Of a link itself. @throws SftpFailure where a size is given: a link has none to set */
export function setOfLink(path: Buffer, attributes: Attributes): Promise<void> {
  if (attributes.size !== undefined) throw new SftpFailure(FX.BAD_MESSAGE, 'A link has no size to set')
  return setAll(attributes, {
    size: () => Promise.resolve(),
    // There is no lchmod(2) on Linux; what is no link has its mode set, and a link in its place is not followed.
    mode: (mode) => withFile(path, O_PATH | constants.O_NOFOLLOW, (fd) => chmod(`/proc/self/fd/${fd}`, mode)),
    times: (atime, mtime) => lutimes(path, atime, mtime),
    owner: (uid, gid) => lchown(path, uid, gid),
  })
}

async function withFile(path: Buffer, flags: number, use: (fd: number) => Promise<void>): Promise<void> {
  const fd = await openFile(path, flags)
  try {
    await use(fd)
  } finally {
    await closeFile(fd)
  }
}
