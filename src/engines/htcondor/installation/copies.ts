import fs from 'node:fs'
import path from 'node:path'

/** The link to the copy that counts: the configuration names it, so that it holds for starters that run already. */
export const CURRENT = 'current'

/** The name of the copy that counts below this prefix, if there is one. */
export function currentCopy(prefix: string): string | undefined {
  const link = path.join(prefix, CURRENT)
  const status = fs.lstatSync(link, { throwIfNoEntry: false })
  return status?.isSymbolicLink() ? fs.readlinkSync(link) : undefined
}
