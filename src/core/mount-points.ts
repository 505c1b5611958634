import { readFileSync } from 'node:fs'
import path from 'node:path'
import { MOUNTS_MAX_AGE_MS } from './limits.js'

let known: { points: ReadonlySet<string>; since: number } | undefined

/**
 * Where the file system is mounted that a path lies in by its name: where a link leads elsewhere, that is not followed.
 * Paths are bytes, in strings of one character each.
 */
export function mountPointOf(name: string): string {
  if (known === undefined || performance.now() - known.since > MOUNTS_MAX_AGE_MS) {
    known = { points: readMountPoints(), since: performance.now() }
  }
  let folder = path.posix.normalize(name)
  while (folder !== '/' && folder !== '.' && !known.points.has(folder)) folder = path.posix.dirname(folder)
  return folder
}

/** proc(5), mountinfo: no file system is asked for it. */
function readMountPoints(): ReadonlySet<string> {
  const points = new Set<string>()
  for (const line of readTable().split('\n')) {
    // Blanks and backslashes are octal numbers behind a backslash.
    const point = line
      .split(' ', 5)[4]
      ?.replace(/\\([0-7]{3})/g, (_all, digits) => String.fromCharCode(Number.parseInt(digits, 8)))
    if (point !== undefined) points.add(point)
  }
  return points
}

function readTable(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'latin1')
  } catch {
    return '' // without a /proc, all is one
  }
}
