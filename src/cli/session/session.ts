import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import type { ExecOptions, JobConnection, RemoteEnd, RemoteProcess } from '../../client/types.js'
import { type Deferred, deferred } from '../../core/deferred.js'
import { SshjobError } from '../../core/errors.js'
import { EXIT_FAILURE } from '../../core/exit-failure.js'
import { matchesPattern } from '../../core/patterns.js'
import { VERSION } from '../../core/version.js'
import type { ResolvedJob } from '../../engines/resolve-job.js'
import { signalStatus } from '../../process/signals.js'
import { joinCommand } from '../arguments/command-line.js'
import { REMOVING } from '../arguments/engine-options.js'
import { usage } from '../arguments/options.js'
import { dieBySignal, exitStatus } from '../ending/exit-status.js'
import { atFatalSignal, beforeFatalSignal, forwardSignals } from '../ending/signals.js'
import type { ForwardSpec } from '../forwarding/forward-specs.js'
import type { Forwardings } from '../forwarding/forwardings.js'
import { printHelp } from '../manual/print-help.js'
import { flushOutput, printable, say } from '../output/report.js'
import { createVerboseLog, type VerboseLog } from '../output/verbose-log.js'
import type { LocalTerminal } from '../terminal/local-terminal.js'
import { isHabit, withHabit } from './habits.js'
import { openSession } from './open-session.js'
import { parseSession, type SessionCall } from './session-options.js'
import type { SessionRequest } from './session-request.js'
import { copyInput, copyKeys, copyOutput } from './session-streams.js'

/** What a session works with. */
interface Session {
  request: SessionRequest
  connection: JobConnection
  verbose: VerboseLog
  /** Says a sentence that is no error; -q leaves it out. */
  note: (sentence: string) => void
  /** What is listened on for it. */
  forwardings: () => Promise<Forwardings>
}

/** `sshjob [options] JOB [COMMAND…]`: gives the status to exit with. */
export async function runSessionCommand(args: readonly string[]): Promise<number> {
  const call = await parse(args)
  if (call.action === 'run') {
    try {
      return await runSession(call.request)
    } catch (error) {
      if (!(error instanceof SshjobError) || error.code !== 'job-not-found') throw error
      const { job, command } = call.request
      if (job === 'help') return printHelp(import('../manual/session.js'))
      throw withHabit(error, [job, ...command])
    }
  }
  if (call.action === 'show') {
    process.stdout.write(`host ${call.request.job}\nhostname ${call.request.job}\n`)
    return 0
  }
  if (call.action === 'help') return printHelp(import('../manual/session.js'))
  process.stdout.write(`sshjob ${VERSION}\n`)
  return 0
}

/** A job may well be called exec: then its options are wrong, and not the habit. */
async function parse(args: readonly string[]): Promise<SessionCall> {
  try {
    return parseSession(args)
  } catch (error) {
    if (!isHabit(args[0])) throw error
    const { listLocalJobs } = await import('../../engines/local/local-jobs.js')
    throw (await listLocalJobs()).some(({ id }) => id === args[0]) ? error : withHabit(error, args)
  }
}

async function runSession(request: SessionRequest): Promise<number> {
  const verbose = createVerboseLog(request.verbosity)
  const note = (sentence: string): void => {
    if (!request.quiet) say(sentence)
  }
  const terminal = wantsTerminal(request, note) ? await openTerminal() : undefined
  const resolved = request.removeOnInterrupt ? await removeAtFatalSignal(request) : undefined
  try {
    const target = { ...request, debug: request.verbosity > 1, resolved }
    const { connection, explain } = await openSession(target, verbose.log, note)
    try {
      noteUnused(request, connection, note)
      const forwardings = lazyForwardings(connection, note)
      await forward(request.forwardings, forwardings)
      const status = await run({ request, connection, verbose, note, forwardings }, terminal)
      await connection.close()
      return status
    } catch (error) {
      terminal?.restore()
      throw await explain(error)
    }
  } finally {
    terminal?.restore()
  }
}

/** What was asked for and can't be had, though it is no failure: git, rsync and the like name users and keys. */
function noteUnused(
  { user, identityFiles, job }: SessionRequest,
  connection: JobConnection,
  note: (sentence: string) => void,
): void {
  const actual = connection.job?.user
  if (user !== undefined && actual !== undefined && user !== actual) {
    note(`sshjob: Sessions of job ${job} run as ${printable(actual)}, not as ${printable(user)}.`)
  }
  const missing = identityFiles.find((file) => !existsSync(file.replace(/^~(?=\/)/, homedir())))
  if (missing !== undefined) {
    note(`sshjob: There is no key file ${printable(missing)}, which -i names; none is needed.`)
  }
}

/**
 * As condor_ssh_to_job does it with -remove-on-interrupt: while we wait for the job, and while we are in it.
 * @returns the one job that would be removed
 */
async function removeAtFatalSignal({ job, engines }: SessionRequest): Promise<ResolvedJob> {
  const { resolveJob } = await import('../../engines/resolve-job.js')
  const address = resolveJob(job, engines).addresses.find(({ remove }) => remove !== undefined)
  if (address === undefined) {
    const whose = REMOVING.map(({ title, ids }) => `${title}: ${ids}`).join('; or of ')
    throw usage(`--remove-on-interrupt is for jobs of ${whose}.`)
  }
  atFatalSignal(() => {
    say(`sshjob: Interrupted: removing job ${address.id}.`)
    address.remove?.()
  })
  beforeFatalSignal(() => undefined)
  return { addresses: [address] }
}

/** Loads what is needed for forwardings only where there are some. */
function lazyForwardings(
  connection: JobConnection,
  note: (sentence: string) => void,
): () => Promise<Forwardings> {
  const load = async (): Promise<Forwardings> => {
    const { createForwardings } = await import('../forwarding/forwardings.js')
    const forwardings = createForwardings(connection, note)
    process.on('exit', () => forwardings.removeSockets())
    atFatalSignal(() => forwardings.removeSockets())
    return forwardings
  }
  let loaded: Promise<Forwardings> | undefined
  return () => {
    loaded ??= load()
    return loaded
  }
}

/** @throws SshjobError the first that can't be had: who asked for it would find it missing later, and not know why */
async function forward(specs: readonly ForwardSpec[], load: () => Promise<Forwardings>): Promise<void> {
  if (specs.length === 0) return
  const forwardings = await load()
  try {
    for (const spec of specs) await forwardings.add(spec)
  } catch (error) {
    // A socket in the file system would stay behind.
    await forwardings.close()
    throw error
  }
}

/** The rules of ssh(1): a shell has a terminal if our input is one, a command has one on demand. */
function wantsTerminal(request: SessionRequest, note: (sentence: string) => void): boolean {
  if (!request.run || request.subsystem || request.terminal === 'never') return false
  if (request.terminal === 'always') return true
  if (request.terminal === undefined && request.command.length > 0) return false
  const possible = process.stdin.isTTY === true
  if (!possible && request.terminal === 'if-possible') {
    note('sshjob: The input is no terminal, so the command gets none; -tt gives it one all the same.')
  }
  return possible
}

async function openTerminal(): Promise<LocalTerminal> {
  const { openLocalTerminal } = await import('../terminal/local-terminal.js')
  const terminal = openLocalTerminal()
  beforeFatalSignal(() => terminal.restore())
  // The handler that reports comes after this one.
  process.prependListener('uncaughtException', () => terminal.restore())
  return terminal
}

async function run(session: Session, terminal: LocalTerminal | undefined): Promise<number> {
  const { stdioTarget } = session.request
  if (stdioTarget !== undefined) {
    const { joinStdio } = await import('../forwarding/forwardings.js')
    await joinStdio(session.connection, stdioTarget)
    await flushOutput()
    return 0
  }
  if (!session.request.run) {
    beforeFatalSignal(() => undefined)
    const cause = await session.connection.closed
    if (cause !== undefined) throw cause
    return 0
  }
  return terminal === undefined ? runOnPipes(session) : runInTerminal(session, terminal)
}

async function runOnPipes(session: Session): Promise<number> {
  const { request, connection, note } = session
  const env = environmentOf(request)
  const command = request.command.length === 0 ? undefined : joinCommand(request.command)
  const remote = await startReaching(request, note, (reach) =>
    command === undefined
      ? connection.shell({ pty: false, env, ...reach })
      : request.subsystem
        ? connection.subsystem(command.toString(), { env })
        : connection.exec(command, { env, ...reach }),
  )
  const signals = request.removeOnInterrupt
    ? { ending: () => undefined }
    : forwardSignals((name) => remote.sendSignal(name))
  if (request.readInput) copyInput(process.stdin, remote.stdin)
  else remote.stdin.end()

  try {
    const [end, wasRead] = await finish(remote)
    const signal = signals.ending()
    if (signal !== undefined && end.signal === signal.slice('SIG'.length)) return endBySignal(signal)
    // `| head -1` ends a command here without a word as well.
    return report(end, end.signal === 'PIPE' && !wasRead ? () => undefined : note)
  } catch (error) {
    // After a Ctrl-C, how the connection ended is not what the user wants to read.
    const signal = signals.ending()
    if (signal !== undefined) return endBySignal(signal)
    throw error
  }
}

async function runInTerminal(session: Session, terminal: LocalTerminal): Promise<number> {
  const { request, connection, note } = session
  const { modes, size } = await terminal.describe()
  const env = environmentOf(request)
  const pty = { ...size, modes, term: process.env.TERM ?? 'dumb' }
  const remote = await startReaching(request, note, (reach) =>
    request.command.length === 0
      ? connection.shell({ ...pty, env, ...reach })
      : connection.exec(joinCommand(request.command), { pty, env, ...reach }),
  )

  terminal.onResize((changed) => remote.resize(changed))
  terminal.enter()
  const disconnect = deferred<undefined>()
  if (request.readInput) await passKeys(session, remote, terminal, disconnect)
  else remote.stdin.end()
  const ending = await Promise.race([finish(remote), disconnect.promise])
  terminal.restore()
  note(`Connection to job ${request.job} closed.`)
  return ending === undefined ? EXIT_FAILURE : report(ending[0], note)
}

async function passKeys(
  session: Session,
  remote: RemoteProcess,
  terminal: LocalTerminal,
  disconnect: Deferred<undefined>,
): Promise<void> {
  const character = session.request.escape
  if (character === undefined) return copyInput(process.stdin, remote.stdin)
  const { createEscapeParser } = await import('../terminal/escapes.js')
  const { createEscapeCommands } = await import('../terminal/escape-commands.js')
  const commands = createEscapeCommands({
    ...session,
    character,
    remote,
    terminal,
    disconnect: () => disconnect.resolve(undefined),
  })
  copyKeys(process.stdin, remote.stdin, createEscapeParser(character), commands)
}

/** Waits for the end of the process and of its output: how it ended, and whether somebody read all of stdout. */
async function finish(remote: RemoteProcess): Promise<[end: RemoteEnd, wasRead: boolean]> {
  const [end, wasRead] = await Promise.all([
    remote.ended,
    copyOutput(remote.stdout, process.stdout),
    copyOutput(remote.stderr, process.stderr),
  ])
  await flushOutput()
  return [end, wasRead]
}

function report(end: RemoteEnd, note: (sentence: string) => void): number {
  const { status, note: sentence } = exitStatus(end)
  if (sentence !== undefined) note(`sshjob: ${sentence}`)
  return status
}

function endBySignal(signal: NodeJS.Signals): number {
  dieBySignal(signal)
  return signalStatus(signal.slice('SIG'.length))
}

type Reach = Pick<ExecOptions, 'agent' | 'x11'>

/**
 * Starts what reaches our agent, with -A, and our display, with -X or -Y. As with ssh(1), that there is none is no failure,
 * nor that the display has no way for programs that are not trusted.
 */
async function startReaching(
  { forwardAgent, forwardX11 }: SessionRequest,
  note: (sentence: string) => void,
  start: (reach: Reach) => Promise<RemoteProcess>,
): Promise<RemoteProcess> {
  const agent = forwardAgent ? process.env.SSH_AUTH_SOCK : undefined
  const display = forwardX11 && process.env.DISPLAY
  if (forwardX11 && !display) note('sshjob: DISPLAY is not set here, so there is no display for the session.')
  const reach = agent ? { agent } : {}
  if (!display) return start(reach)
  try {
    return await start({ ...reach, x11: { display, trusted: forwardX11 === 'trusted' } })
  } catch (error) {
    if (!(error instanceof SshjobError) || error.code !== 'no-display') throw error
    note(`sshjob: ${printable(error.message)} The session has none; with -Y they are trusted.`)
    return start(reach)
  }
}

/** What ssh sends with the configuration of Debian and its kin, and what --env asks for. */
export function environmentOf(request: SessionRequest): Record<string, string> {
  const patterns = ['LANG', 'LC_*', ...request.sentVariables]
  const sent = Object.entries(process.env).filter(([name]) =>
    patterns.some((one) => matchesPattern(name, one)),
  )
  const given: [string, string][] = sent.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
  return Object.fromEntries([...given, ...request.environment])
}
