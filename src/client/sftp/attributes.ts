import { constants, type Stats } from 'node:fs'
import { type Attributes, decodeAttributes } from '../../ssh/sftp-protocol.js'
import type { Reader } from '../../ssh/wire.js'
import type { FileStats } from './types.js'

const PERMISSIONS = 0o7777
const TYPES: ReadonlyMap<number, FileStats['type']> = new Map([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'folder'],
  [constants.S_IFLNK, 'link'],
])

export function decodeStats(data: Reader): FileStats {
  const { size = 0n, mode = 0, owner, times } = decodeAttributes(data)
  return {
    type: TYPES.get(mode & constants.S_IFMT) ?? 'other',
    size: Number(size),
    mode: mode & PERMISSIONS,
    uid: owner?.uid ?? 0,
    gid: owner?.gid ?? 0,
    accessed: new Date((times?.atime ?? 0) * 1000),
    modified: new Date((times?.mtime ?? 0) * 1000),
  }
}

/** When a file here was used and changed last. The Dates of Node.js are rounded, maybe into the next second. */
export function localTimes({ atimeMs, mtimeMs }: Stats): Pick<FileStats, 'accessed' | 'modified'> {
  return { accessed: new Date(Math.floor(atimeMs)), modified: new Date(Math.floor(mtimeMs)) }
}

/**
 * What of a mode goes with a copy. Never set-user-ID and set-group-ID, as with scp(1) in both directions: the copy is
 * somebody else's, and what a job has marked so would run with the rights of whoever copied it. The sticky bit goes
 * along where modes are to be kept.
 */
export function modeOfCopy(mode: number, preserve: boolean | undefined): number {
  return mode & (preserve ? 0o1777 : 0o777)
}

/** Times as the protocol has them: both or none, whole seconds. */
export function timesOf({
  accessed,
  modified,
}: Pick<FileStats, 'accessed' | 'modified'>): NonNullable<Attributes['times']> {
  return { atime: seconds(accessed), mtime: seconds(modified) }
}

const seconds = (time: Date): number => Math.floor(time.getTime() / 1000)
