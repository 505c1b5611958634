import { realpathSync } from 'node:fs'

/** The file of a system's loader, ld.so(8). */
export const LOADER = /\/ld-(?:linux|musl)[^/]*$/

/** The file of this program: where the link that a package manager made for it leads. */
export function thisProgram(): string {
  return realpathSync(process.argv[1] ?? '')
}
