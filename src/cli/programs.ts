import { realpathSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'

/** The file of this program: where the link that a package manager made for it leads. */
export function thisProgram(): string {
  return realpathSync(process.argv[1] ?? '')
}

/** The arguments for Node.js that start sshjob-server, which lies beside this program. */
export const serverProgram = (): string[] => programBeside('sshjob-server')

/** Those that start the program that serves files. */
export const filesProgram = (): string[] => programBeside('sshjob-files')

function programBeside(name: string): string[] {
  const program = thisProgram()
  return [...process.execArgv, join(dirname(program), `${name}${extname(program)}`)]
}
