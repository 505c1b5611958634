import { findProgram } from '../job/shell.js'
import type { Subsystem } from '../server/admission.js'
import type { Config } from './config.js'
import { splitWords } from './words.js'

const INTERNAL = 'internal-sftp'
/** Options of sftp-server(8) about its log, each with a value; -e takes none. Any other restricts, or changes paths. */
const ABOUT_THE_LOG = ['-f', '-l']

export function findSubsystem(config: Config, name: string): Subsystem | undefined {
  const command = config.all('Subsystem').find(([known]) => known === name)?.[1]
  if (command === undefined) return undefined
  return isServedByUs(name, command) ? { kind: 'files' } : { kind: 'command', command }
}

/** internal-sftp, and an sftp server that is not installed: what a configuration names need not be there. */
function isServedByUs(name: string, command: string): boolean {
  const [program = ''] = splitWords(command) ?? []
  if (program === INTERNAL) return true
  return name === 'sftp' && findProgram(program, process.env.PATH, '/') === undefined
}

/** @returns the sentence that says why our server of files can't stand in for this command; undefined where it can */
export function refuseSubsystem(name: string, command: string): string | undefined {
  if (!isServedByUs(name, command)) return undefined
  const [program, ...options] = splitWords(command) ?? []
  while (options.length > 0) {
    const option = options.shift() ?? ''
    if (ABOUT_THE_LOG.includes(option)) options.shift()
    else if (option !== '-e') return `${program} is served by sshjob-server, which has no option ${option}`
  }
  return undefined
}
