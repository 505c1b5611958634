import type { Dir, OpenDirOptions, PathLike } from 'node:fs'

/**
 * opendir() takes `encoding: 'buffer'` since it exists, as fs.md of Node.js says of readdir(); @types/node does not
 * say so. Names that are not UTF-8 would be lost without it.
 */
declare module 'node:fs/promises' {
  interface BufferEntry {
    readonly name: Buffer
  }
  interface BufferDir {
    read(): Promise<BufferEntry | null>
    close(): Promise<void>
  }
  function opendir(path: PathLike, options: { encoding: 'buffer'; bufferSize: number }): Promise<BufferDir>
  function opendir(path: PathLike, options?: OpenDirOptions): Promise<Dir>
}
