import { systemCode } from '../../core/errors.js'
import { constants, type FileCalls } from '../../job/file-calls.js'
import { decodeAttributes, FX, FXF, FXP } from '../../ssh/sftp-protocol.js'
import type { Reader } from '../../ssh/wire.js'
import { attributesAnswer, handleAnswer, pathAnswer, statusAnswer } from './answers.js'
import { setOfFile, setOfPath } from './attributes.js'
import { fileOf, type Operation, resolvePath, type SftpContext } from './context.js'
import { SftpFailure, status } from './failure.js'
import { readFolder } from './read-folder.js'
import { realPath } from './real-path.js'

const DEFAULT_FILE_MODE = 0o666
const DEFAULT_FOLDER_MODE = 0o777
const PERMISSIONS = 0o7777
const DOT = Buffer.from('.')
/** What link(2) says where hard links are not to be had. */
const NO_LINKS = ['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EXDEV', 'EPERM']

export const done = (id: number): Buffer => statusAnswer(id, status(FX.OK))
export const path = (context: SftpContext, data: Reader): Buffer => resolvePath(context, data.string())

/** An operation on a path, or two, that has nothing to give back. */
function onPath(act: (calls: FileCalls, path: Buffer) => Promise<unknown>): Operation {
  return async (context, id, data) => {
    await act(context.calls, path(context, data))
    return done(id)
  }
}

export function onPaths(act: (calls: FileCalls, from: Buffer, to: Buffer) => Promise<unknown>): Operation {
  return async (context, id, data) => {
    await act(context.calls, path(context, data), path(context, data))
    return done(id)
  }
}

/** The requests of §6, without READ and WRITE. */
export const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [FXP.OPEN, openHandle],
  [FXP.CLOSE, closeHandle],
  [
    FXP.LSTAT,
    async (context, id, data) => attributesAnswer(id, await context.calls.lstat(path(context, data))),
  ],
  [
    FXP.STAT,
    async (context, id, data) => attributesAnswer(id, await context.calls.stat(path(context, data))),
  ],
  [
    FXP.FSTAT,
    async (context, id, data) =>
      attributesAnswer(id, await context.calls.fstat(fileOf(context, data.string()))),
  ],
  [FXP.SETSTAT, setAttributes],
  [FXP.FSETSTAT, setAttributesOfHandle],
  [FXP.OPENDIR, openFolder],
  [FXP.READDIR, listFolder],
  [FXP.REMOVE, onPath((calls, file) => calls.unlink(file))],
  [FXP.MKDIR, makeFolder],
  [FXP.RMDIR, onPath((calls, folder) => calls.rmdir(folder))],
  [FXP.REALPATH, findRealPath],
  [FXP.RENAME, onPaths(renameWithoutReplacing)],
  [
    FXP.READLINK,
    async (context, id, data) => pathAnswer(id, await context.calls.readlink(path(context, data))),
  ],
  [FXP.SYMLINK, makeLink],
])

async function openHandle(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const file = path(context, data)
  const wanted = data.uint32()
  const { mode = DEFAULT_FILE_MODE } = decodeAttributes(data)
  context.handles.checkRoom()
  const opened = await context.calls.open(file, openFlags(wanted), mode & PERMISSIONS)
  return handleAnswer(id, context.handles.addFile(opened, (wanted & FXF.APPEND) !== 0))
}

/** A FIFO without a partner or a line without a carrier must not stop the server, nor become its terminal: open(2). */
function openFlags(wanted: number): number {
  const access =
    wanted & FXF.WRITE ? (wanted & FXF.READ ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY
  return (
    access |
    constants.O_NONBLOCK |
    constants.O_NOCTTY |
    (wanted & FXF.APPEND ? constants.O_APPEND : 0) |
    (wanted & FXF.CREAT ? constants.O_CREAT : 0) |
    (wanted & FXF.TRUNC ? constants.O_TRUNC : 0) |
    (wanted & FXF.EXCL ? constants.O_EXCL : 0)
  )
}

async function closeHandle({ handles }: SftpContext, id: number, data: Reader): Promise<Buffer> {
  await handles.close(data.string())
  return done(id)
}

async function setAttributes(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  await setOfPath(context.calls, path(context, data), decodeAttributes(data))
  return done(id)
}

async function setAttributesOfHandle(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const file = fileOf(context, data.string())
  await setOfFile(context.calls, file, decodeAttributes(data))
  return done(id)
}

async function openFolder(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const name = path(context, data)
  context.handles.checkRoom()
  return handleAnswer(id, context.handles.addFolder(await context.calls.openDirectory(name)))
}

async function listFolder(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const folder = context.handles.folder(data.string())
  if (folder === undefined) throw new SftpFailure(FX.FAILURE, 'This handle is not an open folder')
  return readFolder(context.calls, folder, id, await context.accounts())
}

async function makeFolder(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const name = path(context, data)
  const { mode = DEFAULT_FOLDER_MODE } = decodeAttributes(data)
  await context.calls.mkdir(name, mode & PERMISSIONS)
  return done(id)
}

async function findRealPath(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const asked = data.string()
  return pathAnswer(id, await realPath(context.calls, resolvePath(context, asked.length === 0 ? DOT : asked)))
}

/** OpenSSH has the two paths the other way round than the draft, and every client has followed it: its PROTOCOL, §4.1. */
async function makeLink(context: SftpContext, id: number, data: Reader): Promise<Buffer> {
  const target = data.string()
  if (target.includes(0)) throw new SftpFailure(FX.BAD_MESSAGE, 'A path holds a zero byte')
  await context.calls.symlink(path(context, data), target)
  return done(id)
}

/** §6.5: it fails where the new name exists. For files that is certain; the rest has no such call. As sftp-server. */
async function renameWithoutReplacing(calls: FileCalls, from: Buffer, to: Buffer): Promise<void> {
  if ((await calls.lstat(from)).isFile()) {
    try {
      await calls.link(from, to)
    } catch (error) {
      if (!NO_LINKS.includes(systemCode(error) ?? '')) throw error
      return renameIfFree(calls, from, to)
    }
    try {
      await calls.unlink(from)
    } catch (error) {
      await calls.unlink(to)
      throw error
    }
    return
  }
  await renameIfFree(calls, from, to)
}

async function renameIfFree(calls: FileCalls, from: Buffer, to: Buffer): Promise<void> {
  const isThere = await calls.stat(to).then(
    () => true,
    () => false,
  )
  if (isThere) throw new SftpFailure(FX.FAILURE, 'The new name exists')
  await calls.rename(from, to)
}
