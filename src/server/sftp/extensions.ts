import { SFTP_COPY_BYTES, SFTP_DATA_MAX, SFTP_HANDLES_MAX, SFTP_PACKET_MAX } from '../../core/limits.js'
import type { FileSystemSpace } from '../../job/file-calls.js'
import { decodeAttributes, FX } from '../../ssh/sftp-protocol.js'
import { Reader, string, uint64 } from '../../ssh/wire.js'
import { extendedAnswer, pathAnswer, statusAnswer } from './answers.js'
import { setOfLink } from './attributes.js'
import { fileOf, fileOffset, type Operation, resolvePath, type SftpContext } from './context.js'
import { writeData } from './data.js'
import { SftpFailure, status } from './failure.js'
import { done, onPaths, path } from './operations.js'
import { realPath } from './real-path.js'

const UID_BYTES = 4

interface Extension {
  /** What it is announced with. */
  version: string
  run: Operation
}

/** OpenSSH's PROTOCOL, §4. */
export const EXTENSIONS: ReadonlyMap<string, Extension> = new Map<string, Extension>([
  ['posix-rename@openssh.com', { version: '1', run: onPaths((calls, from, to) => calls.rename(from, to)) }],
  ['statvfs@openssh.com', { version: '2', run: describeFileSystem }],
  ['fstatvfs@openssh.com', { version: '2', run: describeFileSystemOfHandle }],
  ['hardlink@openssh.com', { version: '1', run: onPaths((calls, from, to) => calls.link(from, to)) }],
  ['fsync@openssh.com', { version: '1', run: syncHandle }],
  ['lsetstat@openssh.com', { version: '1', run: setAttributesOfLink }],
  ['limits@openssh.com', { version: '1', run: async (_context, id) => limitsAnswer(id) }],
  ['expand-path@openssh.com', { version: '1', run: expandPath }],
  ['copy-data', { version: '1', run: copyData }],
  ['home-directory', { version: '1', run: findHome }],
  ['users-groups-by-id@openssh.com', { version: '1', run: nameIds }],
])

export const runExtension: Operation = async (context, id, data) => {
  const extension = EXTENSIONS.get(data.text())
  if (extension === undefined) return statusAnswer(id, status(FX.OP_UNSUPPORTED))
  return extension.run(context, id, data)
}

async function describeFileSystem(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  return fileSystemAnswer(id, await context.calls.space(path(context, data)))
}

async function describeFileSystemOfHandle(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  return fileSystemAnswer(id, await context.calls.spaceOfFile(fileOf(context, data.string())))
}

function fileSystemAnswer(id: number, space: FileSystemSpace): Buffer {
  const { blockSize, fragmentSize, blocks, free, available, files, filesFree, filesAvailable } = space
  const counts = [blockSize, fragmentSize, blocks, free, available, files, filesFree, filesAvailable]
  // ST_RDONLY and ST_NOSUID have the same numbers here as in statvfs(3).
  return extendedAnswer(id, ...[...counts, space.id, space.flags & 3n, space.nameMax].map(uint64))
}

async function syncHandle(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const file = context.handles.file(data.string())
  if (file === undefined) throw new SftpFailure(FX.NO_SUCH_FILE, 'This handle is not an open file')
  await context.calls.fsync(file)
  return done(id)
}

async function setAttributesOfLink(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  await setOfLink(context.calls, path(context, data), decodeAttributes(data))
  return done(id)
}

function limitsAnswer(id: number): Buffer {
  const values = [SFTP_PACKET_MAX, SFTP_DATA_MAX, SFTP_DATA_MAX, SFTP_HANDLES_MAX]
  return extendedAnswer(id, ...values.map(uint64))
}

/** '~' and '~user' in front, then as REALPATH. */
async function expandPath(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const asked = data.string().toString('latin1')
  const [, user, rest = ''] = /^~([^/]*)(.*)$/s.exec(asked) ?? []
  if (user === undefined) {
    return pathAnswer(
      id,
      await realPath(context.calls, resolvePath(context, Buffer.from(asked || '.', 'latin1'))),
    )
  }
  const home = user === '' ? context.files.home : (await context.accounts()).user(user)?.home
  if (home === undefined) throw new SftpFailure(FX.NO_SUCH_FILE, 'No such user')
  const expanded = Buffer.concat([Buffer.from(home), Buffer.from(rest, 'latin1')])
  return pathAnswer(id, await realPath(context.calls, resolvePath(context, expanded)))
}

async function findHome(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const user = (await context.accounts()).user(data.string().toString('latin1'))
  if (user === undefined) throw new SftpFailure(FX.FAILURE, 'No such user')
  return pathAnswer(id, Buffer.from(user.home, 'latin1'))
}

/** For each number its name, or nothing. */
async function nameIds(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const accounts = await context.accounts()
  const names = (ids: Buffer, find: (id: number) => string | undefined): Buffer => {
    const found: Buffer[] = []
    for (const reader = new Reader(ids); reader.remaining >= UID_BYTES; ) {
      found.push(string(Buffer.from(find(reader.uint32()) ?? '', 'latin1')))
    }
    return Buffer.concat(found)
  }
  const users = names(data.string(), accounts.userName)
  const groups = names(data.string(), accounts.groupName)
  return extendedAnswer(id, string(users), string(groups))
}

/** draft-ietf-secsh-filexfer-extensions-00 §7; a length of 0 is up to the end. */
async function copyData(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const from = fileOf(context, data.string())
  let readOffset = fileOffset(data.uint64())
  const length = fileOffset(data.uint64())
  const to = fileOf(context, data.string())
  let writeOffset = fileOffset(data.uint64())
  if (from === to || from.path.equals(to.path)) {
    throw new SftpFailure(FX.FAILURE, 'A file is not copied onto itself')
  }
  const buffer = Buffer.allocUnsafe(SFTP_COPY_BYTES)
  for (let left = length === 0 ? Number.POSITIVE_INFINITY : length; left > 0; ) {
    if (context.isOver()) break
    const { bytesRead } = await context.calls.read(from, buffer, 0, Math.min(buffer.length, left), readOffset)
    if (bytesRead === 0) break
    await writeData(context.calls, to, writeOffset, buffer.subarray(0, bytesRead))
    readOffset += bytesRead
    writeOffset += bytesRead
    left -= bytesRead
  }
  return done(id)
}
