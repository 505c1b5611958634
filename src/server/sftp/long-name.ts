import { constants, type Stats } from '../../job/file-calls.js'
import type { Accounts } from './accounts.js'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const HALF_A_YEAR_MS = (365 / 2) * 24 * 60 * 60 * 1000

/** The first letter of a mode: inode(7). */
const TYPES: ReadonlyMap<number, string> = new Map([
  [constants.S_IFIFO, 'p'],
  [constants.S_IFCHR, 'c'],
  [constants.S_IFDIR, 'd'],
  [constants.S_IFBLK, 'b'],
  [constants.S_IFREG, '-'],
  [constants.S_IFLNK, 'l'],
  [constants.S_IFSOCK, 's'],
])

/** A line of a listing for people, as `ls -l` and sftp-server(8) write it; the name stays the bytes that it is. */
export function longName(name: Buffer, stats: Stats, accounts: Accounts, now = Date.now()): Buffer {
  const user = (accounts.userName(stats.uid) ?? String(stats.uid)).padEnd(8)
  const group = (accounts.groupName(stats.gid) ?? String(stats.gid)).padEnd(8)
  const links = String(stats.nlink).padStart(3)
  const size = String(stats.size).padStart(8)
  const line = `${modeText(stats.mode)}  ${links} ${user} ${group} ${size} ${timeText(stats.mtimeMs, now)} `
  return Buffer.concat([Buffer.from(line, 'latin1'), name])
}

/** '-rwxr-xr-x', with s, S, t and T for the bits beyond: strmode(3). */
function modeText(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift
    const execute = (bits & 1) !== 0
    const last = mode & special ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-'
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`
  }
  const type = TYPES.get(mode & constants.S_IFMT) ?? '?'
  return `${type}${triple(6, 0o4000, 's')}${triple(3, 0o2000, 's')}${triple(0, 0o1000, 't')}`
}

/** The time of day for the last half year, the year for what is older or in the future. */
function timeText(time: number, now: number): string {
  const date = new Date(time)
  const day = `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)}`
  const recent = Math.floor(now / 1000) - HALF_A_YEAR_MS / 1000 < Math.floor(time / 1000) && now >= time
  if (!recent) return `${day}  ${date.getFullYear()}`
  return `${day} ${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
}
