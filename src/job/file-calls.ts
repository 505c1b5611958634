import type { Stats } from 'node:fs'
import type { FileSystemSpace } from '../process/file-system-space.js'

/** Flags and modes for these calls, and what they give: the server has no file system of its own. */
export { constants } from 'node:fs'
export type { FileSystemSpace, Stats }

/** A file that is open, and the path that it was opened by. */
export interface OpenedFile {
  readonly fd: number
  readonly path: Buffer
}

/** A directory that is open. */
export interface OpenedDirectory {
  readonly directory: DirectoryReader
  readonly path: Buffer
}

export interface DirectoryReader {
  read(): Promise<{ name: Buffer } | null>
  close(): Promise<void>
}

/**
 * The calls of file systems that SFTP makes. Paths are absolute, and bytes. Each throws an error with the system's code,
 * or SshjobError 'not-answering'.
 */
export interface FileCalls {
  lstat(path: Buffer): Promise<Stats>
  /** Of one of many entries of a directory. */
  lstatOfEntry(path: Buffer): Promise<Stats>
  stat(path: Buffer): Promise<Stats>
  readlink(path: Buffer): Promise<Buffer>
  mkdir(path: Buffer, mode: number): Promise<void>
  rmdir(path: Buffer): Promise<void>
  unlink(path: Buffer): Promise<void>
  rename(from: Buffer, to: Buffer): Promise<void>
  link(from: Buffer, to: Buffer): Promise<void>
  symlink(path: Buffer, target: Buffer): Promise<void>
  chmod(path: Buffer, mode: number): Promise<void>
  chown(path: Buffer, uid: number, gid: number): Promise<void>
  lchown(path: Buffer, uid: number, gid: number): Promise<void>
  /** Times are seconds since the epoch. */
  utimes(path: Buffer, atime: number, mtime: number): Promise<void>
  lutimes(path: Buffer, atime: number, mtime: number): Promise<void>
  space(path: Buffer): Promise<FileSystemSpace>
  /** Each byte of the file as one character. */
  readText(path: Buffer): Promise<string>

  open(path: Buffer, flags: number, mode?: number): Promise<OpenedFile>
  /** Done some time, also where nobody waits for it any more: a descriptor is not lost. */
  close(file: OpenedFile): Promise<void>
  fstat(file: OpenedFile): Promise<Stats>
  read(
    file: OpenedFile,
    buffer: Buffer,
    start: number,
    length: number,
    offset: number,
  ): Promise<{ bytesRead: number }>
  /** @param offset null: where the file is, or at its end if it was opened so */
  write(
    file: OpenedFile,
    data: Buffer,
    start: number,
    offset: number | null,
  ): Promise<{ bytesWritten: number }>
  ftruncate(file: OpenedFile, length: number): Promise<void>
  fchmod(file: OpenedFile, mode: number): Promise<void>
  fchown(file: OpenedFile, uid: number, gid: number): Promise<void>
  futimes(file: OpenedFile, atime: number, mtime: number): Promise<void>
  fsync(file: OpenedFile): Promise<void>
  spaceOfFile(file: OpenedFile): Promise<FileSystemSpace>
  /** There is no lchmod(2) on Linux: the mode of what a descriptor of O_PATH leads to. */
  chmodOpened(file: OpenedFile, mode: number): Promise<void>

  openDirectory(path: Buffer): Promise<OpenedDirectory>
  /** The next names, as many as one answer takes; none at the end. */
  readDirectory(directory: OpenedDirectory, most: number): Promise<Buffer[]>
  closeDirectory(directory: OpenedDirectory): Promise<void>
}
