import { SshjobError } from '../../core/errors.js'
import {
  ENGINE_SESSION_OPTIONS,
  FIND_OPTIONS,
  REMOVING,
  readEngineOptions,
} from '../arguments/engine-options.js'
import {
  type GivenOption,
  type OptionTable,
  type ParsedArguments,
  parseArguments,
  usage,
} from '../arguments/options.js'
import { parseProxyCommand, parseWait, REACH_OPTIONS } from '../arguments/reach-options.js'
import { parseDynamic, parseForward, parseTarget } from '../forwarding/forward-specs.js'
import { checkPort, parseEscape, plainRequest, type SessionRequest } from './session-request.js'
import { applyKeywords, parseVariable } from './ssh-keywords.js'
import { SSH_OPTIONS, type SshOption } from './ssh-options.js'

export type SessionCall =
  | { action: 'help' }
  | { action: 'version' }
  /** As `ssh -G`, by which git finds out whether it talks to OpenSSH. */
  | { action: 'show'; request: SessionRequest }
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
  | 'user'
  | 'subsystem'
  | 'ssh-option'
  | 'remove-on-interrupt'
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
  user: { short: 'l', value: 'USER', help: "as ssh's: sessions run as the job's user in any case" },
  subsystem: { short: 's', help: 'run COMMAND as a subsystem, such as sftp' },
  'ssh-option': {
    short: 'o',
    value: 'KEY=VALUE',
    help: 'a setting of ssh_config(5), where it has a meaning here',
  },
  'remove-on-interrupt': {
    help: `${REMOVING.map(({ title }) => title).join(', ')}: if a signal such as Ctrl-C ends us, remove the job`,
  },
  quiet: { short: 'q', help: 'no notes, only errors' },
  verbose: { short: 'v', help: 'say what happens to the connection; twice: everything' },
  help: { short: 'h', help: 'print this' },
  version: { short: 'V', help: 'print the version' },
}

export const SESSION_OPTIONS_OF_ENGINES: OptionTable<string> = { ...FIND_OPTIONS, ...ENGINE_SESSION_OPTIONS }

/** Those that take back what another has asked for, and those that programs pass to ssh. */
const MORE_OPTIONS = {
  'no-forward-agent': { short: 'a', help: 'not -A' },
  'no-forward-x11': { short: 'x', help: 'not -X' },
  'identity-file': { short: 'i', value: 'FILE', help: 'a key, of which there is no need' },
  port: { short: 'p', value: 'PORT', help: '22' },
  'print-config': { short: 'G', help: 'print the name of the job' },
} satisfies OptionTable<string>

const ALL_OPTIONS = { ...SESSION_OPTIONS, ...MORE_OPTIONS, ...SSH_OPTIONS }

type AnyName = keyof typeof ALL_OPTIONS
type Given = GivenOption<AnyName>[]

const parseWords = (words: readonly string[]): ParsedArguments<AnyName> =>
  parseArguments(words, ALL_OPTIONS, 'sshjob', SESSION_OPTIONS_OF_ENGINES)

/**
 * Options stand before JOB and, as ssh(1) takes them, also behind it, up to the first word that is none: unison and
 * sshfs write 'JOB -l USER', 'JOB -s sftp'. Behind '--' there are none.
 * @throws SshjobError 'usage'
 */
export function parseSession(args: readonly string[]): SessionCall {
  refuseDockersOptions(args)
  const before = parseWords(args)
  const [host, ...rest] = before.operands
  const behind =
    host === undefined || before.terminated
      ? { given: [], givenMore: [], operands: rest }
      : parseBehind(host, rest)
  const given: Given = [...before.given, ...behind.given]
  for (const { name } of given) if (name === 'help' || name === 'version') return { action: name }
  if (host === undefined) throw usage("Which job? Give its name, or see 'sshjob ls' for those that run here.")

  const request = plainRequest(readEngineOptions([...before.givenMore, ...behind.givenMore]))
  request.job = host
  const has = (wanted: AnyName): boolean => given.some(({ name }) => name === wanted)
  // As in ssh(1): what an option of its own says counts more, and forwardings are cleared wherever they come from.
  const { clear, trusted } = applyKeywords(
    request,
    given.flatMap(({ name, value }) => (name === 'ssh-option' && value !== undefined ? [value] : [])),
  )
  for (const { name, value = '' } of given) if (isOwn(name)) applyOption(request, name, value)
  if (clear) request.forwardings = []
  if (trusted && request.forwardX11 !== undefined) request.forwardX11 = 'trusted'
  splitUser(request)
  const words = behind.operands
  // `sshjob JOB -- COMMAND` is what users of kubectl and docker type; ssh(1) takes it as well.
  if (before.terminated && words[0] === '--') words.shift()
  if (words.length > 0) request.command = words
  checkTogether(request, words)
  return { action: has('print-config') ? 'show' : 'run', request }
}

/** @throws SshjobError 'usage' that says how such a word becomes a command, which it had been meant for maybe */
function parseBehind(host: string, rest: readonly string[]): ParsedArguments<AnyName> {
  try {
    return parseWords(rest)
  } catch (error) {
    if (!(error instanceof SshjobError)) throw error
    throw new SshjobError(
      'usage',
      `${error.message} What the job's shell is to get stands behind '${host} --'.`,
    )
  }
}

/** -it would be ssh's -i, with a file that is called t; and behind -ti, the job's name would be that of a file. */
function refuseDockersOptions(args: readonly string[]): void {
  const at = args.findIndex((word) => /^-(it|ti)d?$/.test(word))
  const before = args.slice(0, at)
  // Behind the job and one more word it is the command's.
  if (at < 0 || before.includes('--') || before.filter((word) => !word.startsWith('-')).length > 1) return
  throw usage(
    `${args[at]} is of docker and kubectl: 'sshjob JOB' is a terminal, 'sshjob -t JOB COMMAND' a command in one.`,
  )
}

/** me@train, as in ssh(1). What a proxy command leads to, may have such a name. */
function splitUser(request: SessionRequest): void {
  const at = request.job.lastIndexOf('@')
  if (at < 1 || request.proxyCommand !== undefined) return
  request.user ??= request.job.slice(0, at)
  request.job = request.job.slice(at + 1)
}

function checkTogether({ run, stdioTarget, subsystem, command }: SessionRequest, words: string[]): void {
  if (!run && words.length > 0)
    throw usage(`${stdioTarget === undefined ? '-N' : '-W'} runs nothing, so it takes no command.`)
  if (subsystem && command.length === 0) throw usage('-s takes the name of a subsystem: sftp.')
}

function isOwn(name: AnyName): name is Name | keyof typeof MORE_OPTIONS {
  if (!Object.hasOwn(SSH_OPTIONS, name)) return true
  const { short, refusal }: SshOption = ALL_OPTIONS[name]
  if (refusal !== undefined) throw usage(`-${short} can't be had: ${refusal}.`)
  return false
}

function applyOption(request: SessionRequest, name: Name | keyof typeof MORE_OPTIONS, value: string): void {
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
    case 'no-forward-agent':
      request.forwardAgent = false
      break
    case 'no-forward-x11':
      request.forwardX11 = undefined
      break
    case 'user':
      request.user ??= value
      break
    case 'subsystem':
      request.subsystem = true
      break
    case 'identity-file':
      request.identityFiles.push(value)
      break
    case 'port':
      checkPort(value)
      break
    case 'ssh-option':
    case 'print-config':
    case 'help':
    case 'version':
      break // read elsewhere
    case 'remove-on-interrupt':
      request.removeOnInterrupt = true
      break
    case 'quiet':
      request.quiet = true
      break
    case 'verbose':
      request.verbosity += 1
      break
    case 'escape':
      request.escape = parseEscape(value)
      break
    case 'env': {
      const [variable, text] = parseVariable(value, '--env')
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
