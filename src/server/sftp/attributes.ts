import { constants, type FileCalls, type OpenedFile } from '../../job/file-calls.js'
import { type Attributes, FX } from '../../ssh/sftp-protocol.js'
import { fileOffset } from './context.js'
import { SftpFailure } from './failure.js'

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

export function setOfPath(calls: FileCalls, path: Buffer, attributes: Attributes): Promise<void> {
  const forWriting = constants.O_WRONLY | constants.O_NONBLOCK
  return setAll(attributes, {
    size: (size) => withFile(calls, path, forWriting, (file) => calls.ftruncate(file, size)),
    mode: (mode) => calls.chmod(path, mode),
    times: (atime, mtime) => calls.utimes(path, atime, mtime),
    owner: (uid, gid) => calls.chown(path, uid, gid),
  })
}

export function setOfFile(calls: FileCalls, file: OpenedFile, attributes: Attributes): Promise<void> {
  return setAll(attributes, {
    size: (size) => calls.ftruncate(file, size),
    mode: (mode) => calls.fchmod(file, mode),
    times: (atime, mtime) => calls.futimes(file, atime, mtime),
    owner: (uid, gid) => calls.fchown(file, uid, gid),
  })
}

/** Of a link itself. @throws SftpFailure where a size is given: a link has none to set */
export function setOfLink(calls: FileCalls, path: Buffer, attributes: Attributes): Promise<void> {
  if (attributes.size !== undefined) throw new SftpFailure(FX.BAD_MESSAGE, 'A link has no size to set')
  return setAll(attributes, {
    size: () => Promise.resolve(),
    // What is no link has its mode set, and a link in its place is not followed.
    mode: (mode) =>
      withFile(calls, path, O_PATH | constants.O_NOFOLLOW, (file) => calls.chmodOpened(file, mode)),
    times: (atime, mtime) => calls.lutimes(path, atime, mtime),
    owner: (uid, gid) => calls.lchown(path, uid, gid),
  })
}

async function withFile(
  calls: FileCalls,
  path: Buffer,
  flags: number,
  use: (file: OpenedFile) => Promise<void>,
): Promise<void> {
  const file = await calls.open(path, flags)
  try {
    await use(file)
  } finally {
    await calls.close(file)
  }
}
