import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import type { Account } from './account.js'

/** Where the launcher of a container shim leaves the variables that it was started with, and has not started us with. */
const GIVEN = Symbol.for('sshjob.environment')

function givenEnvironment(): Buffer | undefined {
  const given: unknown = Reflect.get(globalThis, GIVEN)
  return Buffer.isBuffer(given) ? given : undefined
}

/** Variables by name. Values are bytes: environ(7) says nothing of an encoding. */
export type Environment = ReadonlyMap<string, Buffer>

/** IEEE 1003.1, 3.216. A shell can't export any other. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** npm and npx put the folder of their node-gyp into PATH, after their own and before the user's. */
const NPM_FOLDER = '/@npmcli/run-script/lib/node-gyp-bin'

/** Of the terminal that the starter was started in: a session has another, or none. */
const OF_ANOTHER_TERMINAL = [
  ...['COLUMNS', 'LINES', 'TERMCAP', 'COLORTERM', 'TERM_PROGRAM', 'TERM_PROGRAM_VERSION', 'VTE_VERSION'],
  ...['WINDOWID', 'TMUX', 'TMUX_PANE', 'STY', 'WINDOW'],
]

/**
 * What a server says of a login, ssh(1), ENVIRONMENT. Of the one that the starter was started in, it is stale, and a program
 * that believes it talks to no one; of a session, only its own server can know it.
 */
export const LOGIN_VARIABLES = [
  'SSH_CONNECTION',
  'SSH_CLIENT',
  'SSH_TTY',
  'SSH_USER_AUTH',
  'SSH_ORIGINAL_COMMAND',
]

/**
 * Our own environment, byte for byte. process.env has strings, in which bytes that are not UTF-8 are lost;
 * /proc/self/environ has the bytes, and not what was changed since the start.
 */
export function readEnvironment(): Map<string, Buffer> {
  let original = new Map<string, Buffer>()
  try {
    const bytes = givenEnvironment() ?? readFileSync('/proc/self/environ')
    if (!isUtf8(bytes)) original = parseEnvironment(bytes)
  } catch {
    // Without /proc there are only the strings.
  }
  const environment = new Map<string, Buffer>()
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue
    const bytes = original.get(name)
    environment.set(name, bytes?.toString() === value ? bytes : Buffer.from(value))
  }
  return environment
}

/** The variables in a file as /proc/PID/environ, proc(5). */
export function parseEnvironment(bytes: Buffer): Map<string, Buffer> {
  const variables = new Map<string, Buffer>()
  for (const entry of splitAtZeros(bytes)) {
    const equals = entry.indexOf('=')
    if (equals > 0) variables.set(entry.toString('utf8', 0, equals), entry.subarray(equals + 1))
  }
  return variables
}

function splitAtZeros(bytes: Buffer): Buffer[] {
  const entries: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    entries.push(bytes.subarray(start, end))
    start = end + 1
  }
  return entries
}

/**
 * The environment of a job that this process starts: ours without what is ours alone. Like nice(1), it hands on
 * everything else, LD_PRELOAD and NODE_OPTIONS too: who set them before our name meant the job.
 * - SSHJOB_*: settings of the server, and the marks of a session that the server itself may run in; not where the
 *   user's jobs are, which is the same for who looks for them from inside this one.
 * - NODE_CHANNEL_FD and its kin: they name a descriptor of this process; a Node.js job that believed them would
 *   end at once.
 * - After npx, which says so itself: npm_* with the settings of npm, tokens among them, and the folders in PATH.
 *   After `npm run` they stay: there, the job is a part of the package's script.
 */
export function makeJobEnvironment(environment: Environment): Map<string, Buffer> {
  const npx = environment.get('npm_lifecycle_event')?.toString() === 'npx'
  const made = new Map<string, Buffer>()
  for (const [name, value] of environment) {
    if (name.startsWith('SSHJOB_') && name !== 'SSHJOB_RUNTIME_DIR') continue
    if (['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID'].includes(name)) continue
    if (npx && (name.startsWith('npm_') || ['INIT_CWD', 'NODE', 'COLOR'].includes(name))) continue
    made.set(name, npx && name === 'PATH' ? removeNpmFolders(value) : value)
  }
  return made
}

function removeNpmFolders(path: Buffer): Buffer {
  const folders = path.toString('latin1').split(':')
  const last = folders.findIndex((folder) => folder.endsWith(NPM_FOLDER))
  return Buffer.from(folders.slice(last + 1).join(':'), 'latin1')
}

/**
 * Whether a client may set a variable of this name. LD_* tell the loader to run code in every program, before its
 * own; a client has no reason to, and where a program keeps more rights than the session it must not.
 */
export function isSettable(name: string): boolean {
  return NAME.test(name) && !name.startsWith('LD_')
}

export interface SessionVariables {
  /** What the client and the server add: SSH_CONNECTION, SSH_CLIENT, LANG, …. */
  requested: Environment
  /** TERM, and the terminal's name, with a terminal. */
  terminal: { term: string; name: string } | undefined
  jobId: string
  jobPids: readonly number[]
  account: Account
  shell: string
}

/**
 * The environment of a session: the job's, with what is said of this session, without what only holds for
 * another.
 * - LD_PRELOAD, LD_AUDIT: meant for the one program that was started with them, and a shell may not find them.
 *   LD_LIBRARY_PATH stays: the job's programs need it.
 * - HOME, USER, LOGNAME, SHELL: the job's; from the account where the job has none. HOME is '/' without either.
 */
export function makeSessionEnvironment(job: Environment, session: SessionVariables): Map<string, Buffer> {
  const made = new Map(job)
  for (const name of ['LD_PRELOAD', 'LD_AUDIT', ...OF_ANOTHER_TERMINAL, ...LOGIN_VARIABLES]) made.delete(name)
  const { account, terminal } = session
  const missing = {
    HOME: account.home ?? '/',
    USER: account.name,
    LOGNAME: account.name,
    SHELL: session.shell,
  }
  for (const [name, value] of Object.entries(missing)) {
    if (!made.has(name)) made.set(name, Buffer.from(value))
  }
  for (const [name, value] of session.requested) {
    if (isSettable(name) && !value.includes(0)) made.set(name, value)
  }
  if (terminal !== undefined) {
    // A client without a terminal type has a dumb terminal, terminfo(5).
    made.set('TERM', Buffer.from(terminal.term === '' ? 'dumb' : terminal.term))
    made.set('SSH_TTY', Buffer.from(terminal.name))
  }
  made.set('SSHJOB_JOB_ID', Buffer.from(session.jobId))
  made.set('SSHJOB_JOB_PIDS', Buffer.from(session.jobPids.join(' ')))
  return made
}
