import type { Endpoint } from '../client/types.js'
import type { HtcondorOptions } from '../engines/engine.js'
import { type ForwardSpec, parseDynamic, parseForward, parseTarget } from './forward-specs.js'
import { type OptionTable, parseArguments, usage } from './options.js'
import { QUEUE_OPTIONS, readQueueOptions } from './queue-options.js'
import { parseProxyCommand, parseWait, REACH_OPTIONS } from './reach-options.js'
import { escapeCharacter } from './terminal/escapes.js'

/** What `sshjob [options] JOB [COMMAND…]` was asked to do. */
export interface SessionRequest {
  job: string
  /** The words of the command; none: an interactive shell. */
  command: string[]
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
  /** What to listen on, here and in the job, while the session lasts. */
  forwardings: ForwardSpec[]
  /** With -W: what our input and output lead to, instead of a command. */
  stdioTarget: Endpoint | undefined
  forwardAgent: boolean
  forwardX11: 'untrusted' | 'trusted' | undefined
  htcondor: HtcondorOptions
  /** Whether a signal that ends us takes the job out of its queue. */
  removeOnInterrupt: boolean
}

export type SessionCall =
  | { action: 'help' }
  | { action: 'version' }
  | { action: 'run'; request: SessionRequest }

type Name =
  | 'tty'
  | 'no-tty'
  | 'no-command'
  | 'no-input'
  | 'escape'
  | 'env'
  | 'wait'
  | 'proxy-command'
  | 'local-forward'
  | 'remote-forward'
  | 'dynamic-forward'
  | 'stdio-forward'
  | 'forward-agent'
  | 'forward-x11'
  | 'forward-x11-trusted'
  | 'shells'
  | 'remove-on-interrupt'
  | keyof typeof QUEUE_OPTIONS
  | 'quiet'
  | 'verbose'
  | 'help'
  | 'version'

export const SESSION_OPTIONS: OptionTable<Name> = {
  tty: { short: 't', help: 'run COMMAND in a terminal; twice: even if the input is none' },
  'no-tty': { short: 'T', help: 'no terminal, also not for a shell' },
  'no-command': { short: 'N', help: 'run nothing: connect, and stay until the job or the connection ends' },
  'no-input': { short: 'n', help: 'leave the standard input alone' },
  escape: { short: 'e', value: 'CHAR', help: "escape character: a character, ^X or 'none' (default ~)" },
  env: { value: 'NAME=VALUE', help: "add a variable to the job's environment (repeatable)" },
  wait: REACH_OPTIONS.wait,
  'proxy-command': REACH_OPTIONS['proxy-command'],
  'local-forward': {
    short: 'L',
    value: '[BIND:]PORT:HOST:PORT',
    help: 'connections to PORT here go to HOST:PORT from the job',
  },
  'remote-forward': {
    short: 'R',
    value: '[BIND:]PORT[:HOST:PORT]',
    help: 'connections to PORT in the job go to HOST:PORT from here; PORT alone: a SOCKS server',
  },
  'dynamic-forward': {
    short: 'D',
    value: '[BIND:]PORT',
    help: 'a SOCKS server here that connects from the job',
  },
  'stdio-forward': {
    short: 'W',
    value: 'HOST:PORT',
    help: 'connect our input and output to HOST:PORT from the job',
  },
  'forward-agent': { short: 'A', help: 'let programs of the session use our ssh-agent' },
  'forward-x11': { short: 'X', help: 'let programs of the session use our display, untrusted' },
  'forward-x11-trusted': { short: 'Y', help: 'let them do there what programs here do' },
  ...QUEUE_OPTIONS,
  shells: { value: 'SHELL,…', help: 'HTCondor: the shells to try in the job (default $SHELL)' },
  'remove-on-interrupt': { help: 'HTCondor: if a signal such as Ctrl-C ends us, remove the job' },
  quiet: { short: 'q', help: 'no notes, only errors' },
  verbose: { short: 'v', help: 'say what happens to the connection; twice: everything' },
  help: { short: 'h', help: 'print this' },
  version: { short: 'V', help: 'print the version' },
}

/** @throws SshjobError 'usage' */
export function parseSession(args: readonly string[]): SessionCall {
  const { given, operands } = parseArguments(args, SESSION_OPTIONS)
  const [job, ...words] = operands
  const request: SessionRequest = {
    job: job ?? '',
    command: [],
    terminal: undefined,
    run: true,
    readInput: true,
    quiet: false,
    verbosity: 0,
    escape: '~'.charCodeAt(0),
    waitMs: 0,
    proxyCommand: undefined,
    environment: new Map(),
    forwardings: [],
    stdioTarget: undefined,
    forwardAgent: false,
    forwardX11: undefined,
    htcondor: readQueueOptions(given),
    removeOnInterrupt: false,
  }
  for (const { name, value = '' } of given) {
    if (name === 'help' || name === 'version') return { action: name }
    applyOption(request, name, value)
  }
  if (job === undefined) throw usage("Which job? Give its name, or see 'sshjob ls' for those that run here.")
  // `sshjob JOB -- COMMAND` is what users of kubectl and docker type; ssh(1) takes it as well.
  if (words[0] === '--') words.shift()
  request.command = words
  if (!request.run && words.length > 0) {
    throw usage(`${request.stdioTarget === undefined ? '-N' : '-W'} runs nothing, so it takes no command.`)
  }
  return { action: 'run', request }
}

function applyOption(request: SessionRequest, name: Exclude<Name, 'help' | 'version'>, value: string): void {
  switch (name) {
    case 'tty':
      request.terminal = request.terminal === 'if-possible' ? 'always' : 'if-possible'
      break
    case 'no-tty':
      request.terminal = 'never'
      break
    case 'no-command':
      request.run = false
      break
    case 'no-input':
      request.readInput = false
      break
    case 'local-forward':
      request.forwardings.push(parseForward('local', value))
      break
    case 'remote-forward':
      request.forwardings.push(parseForward('remote', value))
      break
    case 'dynamic-forward':
      request.forwardings.push(parseDynamic(value))
      break
    case 'stdio-forward':
      request.stdioTarget = parseTarget(value)
      request.run = false
      break
    case 'forward-agent':
      request.forwardAgent = true
      break
    case 'forward-x11':
      request.forwardX11 ??= 'untrusted'
      break
    case 'forward-x11-trusted':
      request.forwardX11 = 'trusted'
      break
    case 'name':
    case 'pool':
      break // read by readQueueOptions()
    case 'shells':
      request.htcondor = { ...request.htcondor, shells: value }
      break
    case 'remove-on-interrupt':
      request.removeOnInterrupt = true
      break
    case 'quiet':
      request.quiet = true
      break
    case 'verbose':
      request.verbosity += 1
      if (request.verbosity > 1) request.htcondor = { ...request.htcondor, debug: true }
      break
    case 'escape':
      request.escape = parseEscape(value)
      break
    case 'env': {
      const [variable, text] = parseVariable(value)
      request.environment.set(variable, text)
      break
    }
    case 'wait':
      request.waitMs = parseWait(value)
      break
    case 'proxy-command':
      request.proxyCommand = parseProxyCommand(value)
      break
  }
}

function parseEscape(value: string): number | undefined {
  const character = escapeCharacter(value)
  if (character === false) throw usage(`-e takes one character, ^X or 'none', not '${value}'.`)
  return character
}

function parseVariable(text: string): [name: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw usage(`--env takes NAME=VALUE, not '${text}'.`)
  return [text.slice(0, at), text.slice(at + 1)]
}
