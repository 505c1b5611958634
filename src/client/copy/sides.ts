import type { Stats } from 'node:fs'
import { chmod, lstat, mkdir, readdir, readlink, stat, symlink, utimes } from 'node:fs/promises'
import { ownCalls } from '../../core/blocking-calls.js'
import { SshjobError } from '../../core/errors.js'
import { localTimes } from '../sftp/attributes.js'
import { onLocal } from '../sftp/local-failure.js'
import { absolutePath } from '../sftp/local-file.js'
import type { FileStats, RemoteFiles, TransferOptions } from '../sftp/types.js'

export interface FolderEntry {
  name: Buffer
  /** Of a link itself. */
  stats: FileStats
}

/** A file system, here or in the job, as far as copying a tree needs it. Paths are bytes. */
export interface Side {
  /** A path as the command line has it: 'train:results'. */
  name(path: Buffer): string
  /** For sentences. */
  readonly where: 'here' | 'in the job'
  stat(path: Buffer): Promise<FileStats | undefined>
  lstat(path: Buffer): Promise<FileStats | undefined>
  /** What is in a folder, without '.' and '..'. */
  list(path: Buffer): Promise<FolderEntry[]>
  makeFolder(path: Buffer, mode: number): Promise<void>
  readLink(path: Buffer): Promise<Buffer>
  makeLink(target: Buffer, path: Buffer): Promise<void>
  setAttributes(path: Buffer, stats: FileStats): Promise<void>
}

/** Copies one file from one side to the other. */
export type CopyFile = (from: Buffer, to: Buffer, options: TransferOptions) => Promise<void>

const PERMISSIONS = 0o7777
const SLASH = Buffer.from('/')

export function joinPath(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat(folder.at(-1) === SLASH[0] ? [folder, name] : [folder, SLASH, name])
}

/** A call of the file system here, which is not waited for without end. @param itself as in FileCallOptions */
const call = <T>(path: Buffer, work: () => Promise<T>, itself = false): Promise<T> =>
  onLocal(path, () => ownCalls().file(absolutePath(path), work, { itself }))

export const localSide: Side = {
  name: (path) => path.toString(),
  where: 'here',
  stat: (path) => unlessMissing(async () => statsOf(await call(path, () => stat(path)))),
  lstat: (path) => unlessMissing(async () => statsOf(await call(path, () => lstat(path), true))),
  async list(path) {
    const entries: FolderEntry[] = []
    for (const name of await call(path, () => readdir(path, { encoding: 'buffer' }))) {
      const stats = await localSide.lstat(joinPath(path, name))
      if (stats !== undefined) entries.push({ name, stats })
    }
    return entries
  },
  makeFolder: async (path, mode) => void (await call(path, () => mkdir(path, mode), true)),
  readLink: (path) => call(path, () => readlink(path, { encoding: 'buffer' }), true),
  makeLink: (target, path) => call(path, () => symlink(target, path), true),
  async setAttributes(path, { mode, accessed, modified }) {
    await call(path, () => chmod(path, mode))
    await call(path, () => utimes(path, accessed, modified))
  },
}

/** @param job what stands before paths in sentences, as on the command line. Default: nothing does */
export function remoteSide(files: RemoteFiles, job?: string): Side {
  return {
    name: (path) => (job === undefined ? path.toString() : `${job}:${path}`),
    where: 'in the job',
    stat: (path) => unlessMissing(() => files.stat(path)),
    lstat: (path) => unlessMissing(() => files.lstat(path)),
    // A listing says all of each entry: asking for it by name would cost a round trip each.
    list: async (path) =>
      (await files.readdir(path)).map((entry) => ({ name: entry.nameBytes, stats: entry })),
    makeFolder: (path, mode) => files.mkdir(path, { mode }),
    readLink: (path) => files.readlink(path),
    makeLink: (target, path) => files.symlink(target, path),
    setAttributes: (path, { mode, accessed, modified }) =>
      files.setAttributes(path, { mode, accessed, modified }),
  }
}

async function unlessMissing(look: () => Promise<FileStats>): Promise<FileStats | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof SshjobError && error.code === 'no-such-file') return undefined
    throw error
  }
}

function statsOf(stats: Stats): FileStats {
  return {
    type: stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'folder'
        : stats.isSymbolicLink()
          ? 'link'
          : 'other',
    size: stats.size,
    mode: stats.mode & PERMISSIONS,
    uid: stats.uid,
    gid: stats.gid,
    ...localTimes(stats),
  }
}
