import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { messageOf, SshjobError } from '../../../core/errors.js'
import { EXIT_FAILURE } from '../../../core/exit-failure.js'
import type { Logger } from '../../../core/log.js'
import { printable } from '../../../core/printable.js'
import { readAccount } from '../../../job/account.js'
import { serveAdmitted } from '../../../server/serve-admitted.js'
import { makeAdmission } from '../../../sshd/admission.js'
import { type Config, checkHonoured, dumpConfig, resolveConfig } from '../../../sshd/config.js'
import type { SessionUser } from '../../../sshd/key-files.js'
import type { ConnectionSpec } from '../../../sshd/match.js'
import { type Directive, type ReadConfig, readConfig } from '../../../sshd/read-config.js'
import type { PlaceRules } from '../../../sshd/rules.js'
import { stdioStream } from '../../../streams/stdio.js'
import { refuseForeignFile } from '../../foreign-file.js'
import { openLog, type ServerLog } from '../log.js'
import { untilClosed } from '../serve-stdio.js'
import type { Signals } from '../signals.js'
import { readSshdArguments, type SshdArguments } from './arguments.js'
import { parseConnection } from './connection.js'
import { findPlace, type Place } from './place.js'

const nothing = (): void => undefined
const tell = (fields: object, message: string): void => {
  const reason = 'reason' in fields ? `: ${fields.reason}` : ''
  process.stderr.write(`sshjob-server: ${printable(`${message}${reason}`)}\n`)
}
/** Whoever checks a configuration reads what it says. */
const FOR_PEOPLE: ServerLog = {
  debug: nothing,
  info: nothing,
  warn: tell,
  error: tell,
  flush: () => Promise.resolve(),
}

/** LogLevel as levels of our log. */
const LEVELS: Readonly<Record<string, string>> = {
  QUIET: 'silent',
  FATAL: 'fatal',
  ERROR: 'error',
  INFO: 'info',
  VERBOSE: 'debug',
  DEBUG: 'debug',
  DEBUG1: 'debug',
  DEBUG2: 'trace',
  DEBUG3: 'trace',
}

/**
 * Does what sshd would when it is called so: serves one connection on stdin and stdout, or looks at a configuration.
 * Gives the status to exit with.
 * @throws SshjobError for a wrong call or configuration, and what ended the connection, unless its client did
 */
export async function runSshd(args: readonly string[], signals: Signals): Promise<number> {
  const given = readSshdArguments(args)
  const place = given.mode === 'serve' ? await findPlace() : undefined
  await refuseForeignFile(given.file)
  if (given.logTo.kind === 'file') await refuseForeignFile(given.logTo.file)
  const { directives, warnings } = place?.isShut ? readSilently(given) : readHonoured(given)
  const config = resolveConfig(directives)
  const log = await openSshdLog(given, place?.isShut ? undefined : config)
  for (const warning of warnings) log.warn({}, warning)
  try {
    return await serveOrCheck({ given, place, directives, config }, signals, log)
  } finally {
    await log.flush()
  }
}

interface Call {
  given: SshdArguments
  /** Where sessions will be; undefined: the configuration is looked at, and nothing served. */
  place: Place | undefined
  directives: readonly Directive[]
  config: Config
}

async function serveOrCheck(
  { given, place, directives, config }: Call,
  signals: Signals,
  log: Logger,
): Promise<number> {
  const admit = (connection: ConnectionSpec, rules: PlaceRules) =>
    makeAdmission({
      config,
      hostKeys: given.hostKeys,
      login: { directives, connection, user: readSessionUser(), log, place: rules },
    })
  if (place === undefined) {
    admit({}, { replacesForcedCommand: () => false })
    if (given.mode === 'dump') process.stdout.write(dump(directives, given))
    return 0
  }
  const stream = stdioStream()
  const { connection, peer } = describePeer(stream)
  const admission = admit(connection, place)
  const motd = place.greeting ?? false
  try {
    return await untilClosed(
      stream,
      serveAdmitted(stream, place.job, admission, { motd, log, ...peer }),
      signals,
    )
  } catch (error) {
    // From here on the log is where to say it: stderr may be the connection, inetd(8).
    log.info({ reason: messageOf(error) }, 'connection ended')
    return EXIT_FAILURE
  }
}

function readHonoured({ file, lines }: SshdArguments): ReadConfig {
  const read = readConfig(file, lines)
  checkHonoured(read.directives)
  return read
}

/** The words of a file that is no configuration, and that a link or an Include leads to, are not for the job to read. */
function readSilently(given: SshdArguments): ReadConfig {
  try {
    return { ...readHonoured(given), warnings: [] }
  } catch {
    throw new SshjobError(
      'usage',
      `The configuration ${given.file} can't be used. Why is not said where the job could read it.`,
    )
  }
}

function dump(directives: readonly Directive[], { connection }: SshdArguments): string {
  return dumpConfig(
    resolveConfig(directives, connection.length === 0 ? undefined : parseConnection(connection)),
  )
}

/** @param config undefined where it is not to say how much is told: what is more than a warning tells of files */
function openSshdLog(
  { mode, logTo, logLevel }: SshdArguments,
  config: Config | undefined,
): Promise<ServerLog> | ServerLog {
  if (mode !== 'serve') return FOR_PEOPLE
  const wanted = LEVELS[logLevel ?? config?.word('LogLevel') ?? 'INFO'] ?? 'info'
  const level = config === undefined && wanted !== 'silent' ? 'warn' : wanted
  return openLog({
    level: logTo.kind === 'nowhere' ? 'silent' : level,
    file: logTo.kind === 'file' ? logTo.file : undefined,
    // As sshd's: who reads it there expects lines.
    format: 'text',
  })
}

function readSessionUser(): SessionUser {
  const { name, home = '/' } = readAccount()
  const uid = process.getuid?.()
  if (uid === undefined) throw new SshjobError('internal', 'This system has no user ids.')
  return { name, uid, home }
}

/** Who is at the other end, as far as the stream can tell. Two pipes can't, and sshd has these words for it. */
function describePeer(stream: Duplex): { connection: ConnectionSpec; peer: { peer?: string } } {
  const unknown = { host: 'UNKNOWN', address: 'UNKNOWN', localAddress: 'UNKNOWN', localPort: 65_535 }
  if (!(stream instanceof Socket)) return { connection: unknown, peer: {} }
  const { remoteAddress, remotePort, localAddress, localPort } = stream
  if (remoteAddress === undefined || localAddress === undefined) return { connection: unknown, peer: {} }
  const [address, local] = [plainAddress(remoteAddress), plainAddress(localAddress)]
  return {
    connection: { host: address, address, localAddress: local, localPort },
    peer: { peer: `${address} ${remotePort} ${local} ${localPort}` },
  }
}

/** A socket for both families shows IPv4 addresses as IPv6 ones: RFC 4291 §2.5.5.2. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}
