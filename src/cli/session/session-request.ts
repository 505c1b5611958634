import type { Endpoint } from '../../client/types.js'
import type { EngineSettings } from '../../engines/engines.js'
import { usage } from '../arguments/options.js'
import type { ForwardSpec } from '../forwarding/forward-specs.js'
import { escapeCharacter } from '../terminal/escapes.js'

/** What `sshjob [options] JOB [COMMAND…]` was asked to do. */
export interface SessionRequest {
  job: string
  /** The words of the command; none: an interactive shell. */
  command: string[]
  /** Whether the command is the name of a subsystem, such as sftp. */
  subsystem: boolean
  /** Whether to ask for a terminal; undefined: for a shell, if our input is one. */
  terminal: 'always' | 'if-possible' | 'never' | undefined
  /** False with -N: the connection is made and kept, and nothing runs. */
  run: boolean
  readInput: boolean
  quiet: boolean
  verbosity: number
  /** The byte of the escape character; undefined: none. */
  escape: number | undefined
  /** How long to try while the job has not started, in milliseconds; 0: try once. */
  waitMs: number
  /** The command whose input and output carry the session; undefined: the job is on this machine. */
  proxyCommand: string | undefined
  environment: Map<string, string>
  /** Names of variables of ours that are passed on besides the locale, with * and ? as wildcards. */
  sentVariables: string[]
  /** What to listen on, here and in the job, while the session lasts. */
  forwardings: ForwardSpec[]
  /** With -W: what our input and output lead to, instead of a command. */
  stdioTarget: Endpoint | undefined
  forwardAgent: boolean
  forwardX11: 'untrusted' | 'trusted' | undefined
  engines: EngineSettings
  /** Whether a signal that ends us takes the job out of its queue. */
  removeOnInterrupt: boolean
  /** Whom sessions should run as; undefined: nothing was said. It can't be chosen. */
  user: string | undefined
  /** Files of keys that were named, for which there is no use. */
  identityFiles: string[]
}

/** What is asked for where nothing else is said. */
export function plainRequest(engines: EngineSettings): SessionRequest {
  return {
    job: '',
    command: [],
    subsystem: false,
    terminal: undefined,
    run: true,
    readInput: true,
    quiet: false,
    verbosity: 0,
    escape: '~'.charCodeAt(0),
    waitMs: 0,
    proxyCommand: undefined,
    environment: new Map(),
    sentVariables: [],
    forwardings: [],
    stdioTarget: undefined,
    forwardAgent: false,
    forwardX11: undefined,
    engines,
    removeOnInterrupt: false,
    user: undefined,
    identityFiles: [],
  }
}

/** The byte of an escape character. @throws SshjobError 'usage' */
export function parseEscape(value: string): number | undefined {
  const character = escapeCharacter(value)
  if (character === false) throw usage(`-e takes one character, ^X or 'none', not '${value}'.`)
  return character
}

/** A job is reached by its name alone, on the one port that there is in SSH's opinion. @throws SshjobError 'usage' */
export function checkPort(value: string): void {
  if (value !== '22') throw usage(`A job is reached by its name alone, and has no port ${value} for SSH.`)
}
