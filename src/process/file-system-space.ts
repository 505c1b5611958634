import { statfs } from 'node:fs/promises'
import { endianness } from 'node:os'
import { cString, libc } from './libc.js'

/** struct statvfs, statvfs(3), in the order in which it stands in memory. */
export interface FileSystemSpace {
  /** The size of a block for reading and writing. */
  blockSize: bigint
  /** The unit of the three numbers of blocks. */
  fragmentSize: bigint
  blocks: bigint
  free: bigint
  available: bigint
  files: bigint
  filesFree: bigint
  filesAvailable: bigint
  id: bigint
  /** ST_RDONLY, ST_NOSUID and others. */
  flags: bigint
  /** The longest name of a file. */
  nameMax: bigint
}

/** NAME_MAX of the kernel. */
const NAME_MAX = 255n
const FIELD_BYTES = 8
/** More than any C library's: those of Linux have 112 bytes where a long has 8. */
const STRUCT_BYTES = 256

/**
 * How much room a file system has. Node.js has statfs(2) for that, and leaves out f_frsize: its numbers of blocks are of
 * that size, which on FUSE is not the block's.
 */
export async function fileSystemSpace(path: Buffer): Promise<FileSystemSpace> {
  return (await statvfs(path)) ?? withoutFragments(path)
}

/** Undefined where it fails, or can't be had: statfs(2) says why. */
async function statvfs(path: Buffer): Promise<FileSystemSpace | undefined> {
  const struct = Buffer.alloc(STRUCT_BYTES)
  try {
    return (await libc().statvfs(cString(path), struct)) === 0 ? decode(struct) : undefined
  } catch {
    return undefined
  }
}

function decode(struct: Buffer): FileSystemSpace {
  const field = (index: number): bigint =>
    endianness() === 'LE'
      ? struct.readBigUInt64LE(index * FIELD_BYTES)
      : struct.readBigUInt64BE(index * FIELD_BYTES)
  return {
    blockSize: field(0),
    fragmentSize: field(1),
    blocks: field(2),
    free: field(3),
    available: field(4),
    files: field(5),
    filesFree: field(6),
    filesAvailable: field(7),
    id: field(8),
    flags: field(9),
    nameMax: field(10),
  }
}

async function withoutFragments(path: Buffer): Promise<FileSystemSpace> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path, { bigint: true })
  return {
    blockSize: bsize,
    fragmentSize: bsize,
    blocks,
    free: bfree,
    available: bavail,
    files,
    filesFree: ffree,
    filesAvailable: ffree,
    id: 0n,
    flags: 0n,
    nameMax: NAME_MAX,
  }
}
