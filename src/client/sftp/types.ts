import type { Readable, Writable } from 'node:stream'

/** A path in the job; relative ones start in its working directory. Bytes for names that are not UTF-8. */
export type RemotePath = string | Buffer

/** A path on this machine; bytes for names that are not UTF-8. */
export type LocalPath = string | Buffer

export interface FileStats {
  type: 'file' | 'folder' | 'link' | 'other'
  size: number
  /** Permissions, set-id and sticky bits. */
  mode: number
  uid: number
  gid: number
  accessed: Date
  modified: Date
}

export interface FileEntry extends FileStats {
  name: string
  /** The name as it is, where it is not UTF-8. */
  nameBytes: Buffer
}

export interface FileOptions {
  signal?: AbortSignal
}

export interface WriteOptions extends FileOptions {
  /** Permissions of a file that is made. Default: 0o666, less the job's umask. */
  mode?: number
}

export interface FileProgress {
  /** Bytes that are there now, those of a transfer that is resumed included. */
  done: number
  total: number
}

export interface TransferOptions extends FileOptions {
  /** Called as bytes have arrived. */
  onProgress?: (progress: FileProgress) => void
  /**
   * Gives the copy the permissions and times of the original. Default: false, the permissions of a new file only. Set-ID
   * bits are never copied, as with scp(1).
   */
  preserve?: boolean
  /** Goes on behind what the target has already, once its last bytes have been compared. Default: false. */
  resume?: boolean
  /** Whether a target that is a link is written through. Default: false, it is refused. */
  followLinks?: boolean
}

/**
 * The job's files. Every call may throw SshjobError 'no-such-file', 'permission-denied', 'file-failed' with the
 * path in its sentence, 'request-refused' where the job offers no files, 'aborted', and what ends a connection.
 */
export interface RemoteFiles {
  /** @throws SshjobError 'output-limit' past `limit` bytes; default READ_FILE_LIMIT, 64 MiB */
  readFile(path: RemotePath, options?: FileOptions & { limit?: number }): Promise<Buffer>
  /** Replaces what the file had. */
  writeFile(path: RemotePath, data: string | Uint8Array, options?: WriteOptions): Promise<void>
  /** Without '.' and '..'. */
  readdir(path: RemotePath, options?: FileOptions): Promise<FileEntry[]>
  stat(path: RemotePath, options?: FileOptions): Promise<FileStats>
  /** Of a link itself. */
  lstat(path: RemotePath, options?: FileOptions): Promise<FileStats>
  mkdir(path: RemotePath, options?: WriteOptions): Promise<void>
  rmdir(path: RemotePath, options?: FileOptions): Promise<void>
  remove(path: RemotePath, options?: FileOptions): Promise<void>
  /** Replaces the new name where it exists. */
  rename(from: RemotePath, to: RemotePath, options?: FileOptions): Promise<void>
  readlink(path: RemotePath, options?: FileOptions): Promise<Buffer>
  symlink(target: RemotePath, path: RemotePath, options?: FileOptions): Promise<void>
  /** The absolute path, without links. */
  realpath(path: RemotePath, options?: FileOptions): Promise<Buffer>
  /** Sets permissions and times, those that are given. */
  setAttributes(
    path: RemotePath,
    attributes: { mode?: number; accessed?: Date; modified?: Date },
    options?: FileOptions,
  ): Promise<void>
  /** From `start` (default 0) up to, not including, `end` (default: the end of the file). */
  createReadStream(path: RemotePath, options?: FileOptions & { start?: number; end?: number }): Readable
  /** Without `start`, the file is emptied first. */
  createWriteStream(path: RemotePath, options?: WriteOptions & { start?: number }): Writable
  /** Copies a file of ours into the job. */
  upload(local: LocalPath, remote: RemotePath, options?: TransferOptions): Promise<void>
  /** Copies a file of the job to us. */
  download(remote: RemotePath, local: LocalPath, options?: TransferOptions): Promise<void>
}
