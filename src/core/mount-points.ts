import { readFile } from 'node:fs/promises'

/**
 * The mount point below which a path lies by its name, as this process sees them: proc(5), mountinfo. Where a link leads
 * a path elsewhere, that is not followed. Paths are bytes, in strings of one character each.
 * @returns undefined where there is no /proc
 */
export async function mountPointOf(path: string): Promise<string | undefined> {
  const table = await readFile('/proc/self/mountinfo', 'latin1').catch(() => '')
  let found: string | undefined
  for (const line of table.split('\n')) {
    // Blanks and backslashes in names are octal numbers behind a backslash.
    const point = line
      .split(' ')[4]
      ?.replace(/\\([0-7]{3})/g, (_all, digits) => String.fromCharCode(Number.parseInt(digits, 8)))
    if (point !== undefined && isBelow(path, point) && point.length >= (found?.length ?? 0)) found = point
  }
  return found
}

/** Whether a path is this folder, or in it, by its name. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`)
}
