import { findProgramSync } from '../process/find-program.js'
import type { Subsystem } from '../server/rules.js'
import { splitWords } from './words.js'

const INTERNAL = 'internal-sftp'
/** Options of sftp-server(8) about its log, each with a value; -e takes none, and -d is where relative paths start. */
const ABOUT_THE_LOG = ['-f', '-l']

/** What a command of the configuration, or of a key, is: our own server of files, or a command for the shell. */
export function toSubsystem(command: string): Subsystem {
  return readFileServer(command) ?? { kind: 'command', command }
}

/** By their names. */
export function subsystemsOf(config: {
  all(keyword: 'Subsystem'): readonly (readonly string[])[]
}): Record<string, Subsystem> {
  const made = config.all('Subsystem').map(([name = '', command = '']): [string, Subsystem] => {
    return [name, isMissing(name, command) ? readOptions(command) : toSubsystem(command)]
  })
  return Object.fromEntries(made)
}

/** Undefined where it is not served by us. */
function readFileServer(command: string): Subsystem | undefined {
  return splitWords(command)?.[0] === INTERNAL ? readOptions(command) : undefined
}

/** An sftp server that is not installed: what a configuration names need not be there. */
function isMissing(name: string, command: string): boolean {
  const [program = ''] = splitWords(command) ?? []
  return (
    name === 'sftp' &&
    program !== INTERNAL &&
    findProgramSync(program, { path: process.env.PATH, directory: '/' }) === undefined
  )
}

function readOptions(command: string): Subsystem {
  const words = splitWords(command) ?? []
  const at = words.indexOf('-d')
  const directory = at < 0 ? undefined : words[at + 1]
  return directory === undefined ? { kind: 'files' } : { kind: 'files', directory }
}

/**
 * Any other option of sftp-server(8) restricts.
 * @param name of the subsystem, if it is one
 * @returns the sentence that says why our server of files can't do what this command says; undefined where it can
 */
export function refuseFileServer(command: string, name?: string): string | undefined {
  if (readFileServer(command) === undefined && (name === undefined || !isMissing(name, command)))
    return undefined
  const [program, ...options] = splitWords(command) ?? []
  while (options.length > 0) {
    const option = options.shift() ?? ''
    const value = ABOUT_THE_LOG.includes(option) || option === '-d' ? options.shift() : undefined
    if (option === '-d' && (value === undefined || value.includes('%'))) {
      return `${program} is served by sshjob-server, whose -d is a folder without tokens`
    }
    if (option !== '-e' && value === undefined) {
      return `${program} is served by sshjob-server, which has no option ${option}`
    }
  }
  return undefined
}
