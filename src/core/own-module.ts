import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** From this code's directory to that of its package: dist/programs, dist, and the package itself. */
const LEVELS = 3

/**
 * The directory of a package that this installation has brought along, by the name of the package; undefined where it
 * has not. Node.js would look on, in every directory above, in ~/.node_modules and in NODE_PATH: what is there, somebody
 * else may have put there, and it would run as whoever runs us; and the home directory may be on a file system that does
 * not answer.
 * @param from the URL of who asks: import.meta.url
 */
export function ownModule(name: string, from: string): string | undefined {
  let directory = dirname(fileURLToPath(from))
  for (let level = 1; ; level++) {
    const found = join(isOfPackages(directory) ? directory : join(directory, 'node_modules'), name)
    if (existsSync(found)) return found
    if (level === LEVELS || ['package.json', 'node_modules'].some((one) => existsSync(join(directory, one))))
      break
    directory = dirname(directory)
  }
  // Beside us, where a package manager has put both.
  const beside = dirname(directory)
  const found = join(beside, name)
  return isOfPackages(beside) && existsSync(found) ? found : undefined
}

const isOfPackages = (directory: string): boolean => basename(directory) === 'node_modules'
