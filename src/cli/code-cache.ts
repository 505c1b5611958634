/** Has start-cached.cjs write what V8 has compiled by the end of the program. */
export const WRITE_CACHE = '--write-cache'

/** Where that is kept. */
export function cacheFile(program: string): string {
  return `${program}.cache`
}
