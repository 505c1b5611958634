import { readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { LOADER, thisProgram } from '../core/this-program.js'

/** The arguments for Node.js that start sshjob-server, which lies beside this program. */
export const serverProgram = (): string[] => [...process.execArgv, beside('sshjob-server')]

/** The command that starts the program that serves files, wherever that is called from. */
export const filesCommand = (): string[] => [...nodeCommand(), beside('sshjob-files')]

/** What has started this Node.js: itself, or a loader that was given it, as in the container shim. */
function nodeCommand(): string[] {
  if (!LOADER.test(process.execPath)) return [process.execPath, ...process.execArgv]
  const words = readFileSync('/proc/self/cmdline', 'utf8').split('\0').slice(0, -1)
  // The last ones are the program and its arguments.
  return [process.execPath, ...words.slice(1, 1 - process.argv.length)]
}

function beside(name: string): string {
  const program = thisProgram()
  return join(dirname(program), `${name}${extname(program)}`)
}
