import { existsSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgramSync } from './find-program.js'

/** Of a process itself: what it names is another thing for its children. */
const OWN = /^\/proc\/self(?=\/)/

let found: string | false | undefined

/**
 * The shell of the container shim that this program is run from, for an image that has none. It has the usual programs
 * built in. Undefined where this program is not in a shim.
 */
export function shimShell(): string | undefined {
  found ??= shellIn(dirname(dirname(fileURLToPath(import.meta.url)))) ?? false
  return found === false ? undefined : found
}

/** @param directory the shim's, if it is one: programs are in a directory of their own there */
export function shellIn(directory: string): string | undefined {
  const shell = join(directory, 'bin/sh')
  if (!existsSync(join(directory, 'shim.json'))) return undefined
  if (findProgramSync(shell, { path: undefined }) === undefined) return undefined
  // Where it was walked in by a descriptor, that is closed in our children: proc(5).
  return shell.replace(OWN, () => `/proc/${readlinkSync('/proc/self')}`)
}
