import fs from 'node:fs'
import {
  type BufferDir,
  chmod,
  chown,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  opendir,
  readFile,
  readlink,
  rename,
  rmdir,
  stat,
  symlink,
  unlink,
  utimes,
} from 'node:fs/promises'
import { promisify } from 'node:util'
import type { BlockingCalls } from '../core/blocking-calls.js'
import { SFTP_READDIR_ENTRIES } from '../core/limits.js'
import { fileSystemSpace } from '../process/file-system-space.js'
import type { FileCalls, OpenedDirectory, OpenedFile } from './file-calls.js'

const open = promisify(fs.open)
const close = promisify(fs.close)
const read = promisify(fs.read)
const write = promisify(fs.write)
const fstat = promisify(fs.fstat)

/** By callback: a promise of Node.js for each of 100,000 entries of a directory costs more than the call itself. */
const lstatOfEntry = promisify(fs.lstat)

/** The calls of this process. Each waits for its turn. */
export function fileCalls(calls: BlockingCalls): FileCalls {
  const onPath =
    <A extends readonly unknown[], T>(call: (path: Buffer, ...rest: A) => Promise<T>, itself = false) =>
    (path: Buffer, ...rest: A): Promise<T> =>
      calls.file(path, () => call(path, ...rest), { itself })
  /** As onPath(), for what does not follow a link. */
  const onName = <A extends readonly unknown[], T>(call: (path: Buffer, ...rest: A) => Promise<T>) =>
    onPath(call, true)
  const onFile =
    <A extends readonly unknown[], T>(call: (fd: number, ...rest: A) => Promise<T>) =>
    ({ fd, path }: OpenedFile, ...rest: A): Promise<T> =>
      calls.file(path, () => call(fd, ...rest), { open: descriptorPath(fd) })

  return {
    lstat: onName((path) => lstat(path)),
    lstatOfEntry: onName((path) => lstatOfEntry(path)),
    stat: onPath((path) => stat(path)),
    readlink: onName((path) => readlink(path, { encoding: 'buffer' })),
    mkdir: onName((path, mode: number) => mkdir(path, mode)),
    rmdir: onName((path) => rmdir(path)),
    unlink: onName((path) => unlink(path)),
    rename: onName((from, to: Buffer) => rename(from, to)),
    link: onName((from, to: Buffer) => link(from, to)),
    symlink: onName((path, target: Buffer) => symlink(target, path)),
    chmod: onPath((path, mode: number) => chmod(path, mode)),
    chown: onPath((path, uid: number, gid: number) => chown(path, uid, gid)),
    lchown: onName((path, uid: number, gid: number) => lchown(path, uid, gid)),
    utimes: onPath((path, atime: number, mtime: number) => utimes(path, atime, mtime)),
    lutimes: onName((path, atime: number, mtime: number) => lutimes(path, atime, mtime)),
    space: onPath((path) => fileSystemSpace(path)),
    readText: onPath((path) => readFile(path, 'latin1')),

    async open(path: Buffer, flags: number, mode?: number): Promise<OpenedFile> {
      const undo = (fd: number): void => fs.close(fd)
      return { fd: await calls.file(path, () => open(path, flags, mode), { undo }), path }
    },
    close: ({ fd, path }: OpenedFile): Promise<void> =>
      calls.file(path, () => close(fd), { open: descriptorPath(fd), certain: true }),
    fstat: onFile((fd) => fstat(fd)),
    read: onFile((fd, buffer: Buffer, start: number, length: number, offset: number) =>
      read(fd, buffer, start, length, offset),
    ),
    write: onFile((fd, data: Buffer, start: number, offset: number | null) =>
      write(fd, data, start, data.length - start, offset),
    ),
    ftruncate: onFile(promisify(fs.ftruncate)),
    fchmod: onFile(promisify(fs.fchmod)),
    fchown: onFile(promisify(fs.fchown)),
    futimes: onFile(promisify(fs.futimes)),
    fsync: onFile(promisify(fs.fsync)),
    spaceOfFile: onFile((fd) => fileSystemSpace(Buffer.from(descriptorPath(fd)))),
    chmodOpened: onFile((fd, mode: number) => chmod(descriptorPath(fd), mode)),

    async openDirectory(path: Buffer): Promise<OpenedDirectory> {
      const opening = () => opendir(path, { encoding: 'buffer', bufferSize: SFTP_READDIR_ENTRIES })
      const undo = (late: BufferDir): void => void late.close()
      return { directory: await calls.file(path, opening, { undo }), path }
    },
    readDirectory: ({ directory, path }: OpenedDirectory, most: number): Promise<Buffer[]> =>
      calls.file(path, async () => {
        const names: Buffer[] = []
        for (let entry: { name: Buffer } | null; names.length < most; names.push(entry.name)) {
          entry = await directory.read()
          if (entry === null) break
        }
        return names
      }),
    closeDirectory: ({ directory, path }: OpenedDirectory): Promise<void> =>
      calls.file(path, () => directory.close(), { certain: true }),
  }
}

const descriptorPath = (fd: number): string => `/proc/self/fd/${fd}`
