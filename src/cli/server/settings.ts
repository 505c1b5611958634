import { hostname } from 'node:os'
import path from 'node:path'
import { messageOf, SshjobError } from '../../core/errors.js'
import { BANNER_MAX_BYTES, MAX_SESSIONS } from '../../core/limits.js'
import { findEnclosing } from '../../engines/enclosing-job.js'
import { checkJobId, defaultJobId } from '../../engines/local/job-id.js'
import { FORWARDING_MODES, starterPermissions } from '../../permissions/forwarding-options.js'
import { readAtMost } from '../../sshd/read-at-most.js'
import type { StarterOptions } from '../../starter/starter.js'
import { type OptionTable, parseArguments, usage as usageOf } from '../arguments/options.js'
import { LOG_FORMATS, type LogFormat } from './log.js'

const PROGRAM = 'sshjob-server'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export const SERVER_OPTIONS = {
  'job-id': { value: 'ID', help: 'the name to enter the job by (default: the command and our pid)' },
  listen: { value: 'unix:PATH', help: 'where to listen (default: a socket that sshjob finds by the job id)' },
  shells: { value: 'LIST', help: "shells to try before the job's own: bash,/bin/ksh" },
  'idle-timeout': {
    value: 'SECONDS',
    help: 'end a session after this long without traffic (default: never)',
  },
  'max-sessions': { value: 'N', help: `sessions at a time (default: ${MAX_SESSIONS})` },
  linger: {
    value: 'SECONDS',
    help: "how long sessions may outlive the job, or 'forever': until the last closes",
  },
  motd: { value: 'FILE', help: 'what greets an interactive shell (default: host, job id and pids)' },
  'no-motd': { help: 'greet with nothing' },
  'allow-forwarding': {
    value: 'WHICH',
    values: FORWARDING_MODES,
    help: `${FORWARDING_MODES.join(', ')} (default: all)`,
  },
  'permit-open': {
    value: 'HOST:PORT',
    help: 'forward into the job to this, or a socket, only; * is any (repeatable)',
  },
  'permit-listen': { value: '[HOST:]PORT', help: 'forward out of the job from this only (repeatable)' },
  'require-session': { help: "don't run COMMAND if no session can enter it (default: run it all the same)" },
  quiet: { short: 'q', help: 'do not say at the start how to enter the job' },
  'log-level': { value: 'LEVEL', values: LOG_LEVELS, help: `${LOG_LEVELS.join(', ')} (default: warn)` },
  'log-file': { value: 'FILE', help: 'where the log goes (default: stderr)' },
  'log-format': {
    value: 'FORMAT',
    values: LOG_FORMATS,
    help: `${LOG_FORMATS.join(' or ')} (default: text, and json with --log-file)`,
  },
  inetd: { short: 'i', help: 'serve one connection on stdin and stdout, and exit' },
  help: { short: 'h', help: 'print this' },
  version: { short: 'V', help: 'print the version' },
} satisfies OptionTable<string>

type OptionName = keyof typeof SERVER_OPTIONS

export interface Settings {
  mode: 'job' | 'inetd' | 'help' | 'version'
  command: readonly string[]
  jobId: string
  /** A socket's path instead of the one found by the job id. */
  listen: string | undefined
  maxSessions: number
  lingerMs: number | 'forever'
  requireSession: boolean
  serveOptions: NonNullable<StarterOptions['serveOptions']>
  /** Whether nothing is said at the start. */
  quiet: boolean
  logLevel: string
  logFile: string | undefined
  logFormat: LogFormat
  /** What can't be had, and keeps no job from running: sentences for people. */
  complaints: readonly string[]
}

/**
 * @param pid what a job that is given no id is called by
 * @throws SshjobError 'usage', saying which option is wrong and how
 */
export function readSettings(args: readonly string[], pid = process.pid): Settings {
  const { given, operands: command } = parseArguments(args, SERVER_OPTIONS, PROGRAM)
  const settings: Settings = {
    mode: 'job',
    command,
    jobId: '',
    listen: undefined,
    maxSessions: MAX_SESSIONS,
    lingerMs: 0,
    requireSession: false,
    serveOptions: {},
    quiet: false,
    logLevel: 'warn',
    logFile: undefined,
    logFormat: 'text',
    complaints: [],
  }
  // parseArguments() has seen to it that a value is there wherever the table says so.
  for (const { name, value = '' } of given) apply(settings, name, value)
  if (settings.mode === 'help' || settings.mode === 'version') return settings
  checkTogether(settings)
  // Files are read by programs, too.
  if (settings.logFile !== undefined && !given.some(({ name }) => name === 'log-format'))
    settings.logFormat = 'json'
  if (settings.jobId === '') settings.jobId = chooseJobId(settings, pid)
  return settings
}

function apply(settings: Settings, name: OptionName, value: string): void {
  switch (name) {
    case 'job-id':
      checkJobId(value)
      settings.jobId = value
      return
    case 'listen':
      settings.listen = socketPath(value)
      return
    case 'shells':
      settings.serveOptions.shells = value.split(',').filter((shell) => shell !== '')
      return
    case 'idle-timeout':
      settings.serveOptions.idleTimeoutMs = seconds(value, '--idle-timeout')
      return
    case 'max-sessions':
      settings.maxSessions = count(value, '--max-sessions')
      return
    case 'linger':
      settings.lingerMs = value === 'forever' ? value : seconds(value, '--linger', " or 'forever'")
      return
    case 'motd':
      readMotd(settings, value)
      return
    case 'no-motd':
      settings.serveOptions.motd = false
      return
    case 'allow-forwarding': {
      const mode = FORWARDING_MODES.find((known) => known === value)
      if (mode === undefined) throw usage(`--allow-forwarding is one of ${FORWARDING_MODES.join(', ')}.`)
      settings.serveOptions.forwarding = mode
      return
    }
    case 'permit-open':
      settings.serveOptions.permitOpen = [...(settings.serveOptions.permitOpen ?? []), value]
      starterPermissions(settings.serveOptions) // says what is wrong with it
      return
    case 'permit-listen':
      settings.serveOptions.permitListen = [...(settings.serveOptions.permitListen ?? []), value]
      starterPermissions(settings.serveOptions)
      return
    case 'require-session':
      settings.requireSession = true
      return
    case 'quiet':
      settings.quiet = true
      return
    case 'log-level':
      if (!LOG_LEVELS.some((level) => level === value))
        throw usage(`--log-level is one of ${LOG_LEVELS.join(', ')}.`)
      settings.logLevel = value
      return
    case 'log-file':
      if (value === '') throw usage('--log-file needs the name of a file.')
      settings.logFile = value
      return
    case 'log-format': {
      const format = LOG_FORMATS.find((known) => known === value)
      if (format === undefined) throw usage(`--log-format is one of ${LOG_FORMATS.join(', ')}.`)
      settings.logFormat = format
      return
    }
    default:
      // The first of these decides: `-i --help` and `--help -i` both help.
      if (settings.mode === 'job' || settings.mode === 'inetd') settings.mode = name
  }
}

function checkTogether({ mode, command, listen, complaints }: Settings): void {
  const [complaint] = complaints
  if (mode === 'inetd' && complaint !== undefined) throw new SshjobError('usage', complaint)
  if (mode === 'inetd' && command.length > 0)
    throw usage('With -i no job is started, so there is no COMMAND.')
  if (mode === 'inetd' && listen !== undefined)
    throw usage('With -i the connection is on stdin, so there is no --listen.')
  if (mode === 'job' && (command[0] ?? '') === '') {
    throw usage('There is no COMMAND to run as the job: sshjob-server [options] -- COMMAND [ARG...].')
  }
}

function chooseJobId({ mode, command }: Settings, pid: number): string {
  if (mode === 'job') return defaultJobId(command[0] ?? '', pid)
  // As its engine calls it: whoever is in the job knows it by that.
  return findEnclosing(process.env)?.id ?? defaultJobId(hostname(), pid)
}

function socketPath(value: string): string {
  const file = value.startsWith('unix:') ? value.slice('unix:'.length) : ''
  if (file === '') throw usage(`--listen takes unix:PATH, not ${JSON.stringify(value)}.`)
  // The job may be given another working directory, and so may we.
  return path.resolve(file)
}

const MAX_SECONDS = 2 ** 31 / 1000 - 1

function seconds(value: string, option: string, or = ''): number {
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
  // setTimeout() takes no more than 2^31 ms, and fires at once beyond.
  if (number <= MAX_SECONDS) return number * 1000
  throw usage(`${option} takes a number of seconds${or}, not ${JSON.stringify(value)}.`)
}

function count(value: string, option: string): number {
  if (/^[1-9]\d{0,6}$/.test(value)) return Number(value)
  throw usage(`${option} takes a number of at least 1, not ${JSON.stringify(value)}.`)
}

function readMotd(settings: Settings, file: string): void {
  try {
    settings.serveOptions.motd = readAtMost(file, BANNER_MAX_BYTES).toString('utf8')
  } catch (error) {
    const complaint = `The file of --motd, ${file}, can't be read: ${messageOf(error)}.`
    settings.complaints = [...settings.complaints, complaint]
  }
}

function usage(problem: string): SshjobError {
  return usageOf(problem, PROGRAM)
}
