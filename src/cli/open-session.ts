import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobConnection } from '../client/types.js'
import { SshjobError } from '../core/errors.js'
import { ENGINE_RETRY_MAX_MS, ENGINE_RETRY_MIN_MS, RETRY_INTERVAL_MS } from '../core/limits.js'
import type { Logger } from '../core/log.js'
import type { HtcondorOptions } from '../engines/engine.js'
import type { EngineAddress } from '../engines/engines.js'
import type { FoundJob } from '../engines/open-job.js'
import { keepCode } from './keep-code.js'
import { usage } from './options.js'
import { printable } from './report.js'

export interface SessionTarget {
  job: string
  proxyCommand: string | undefined
  /** How long to try while the job has not started, in milliseconds. */
  waitMs: number
  htcondor?: HtcondorOptions
}

/** Where connections to jobs of engines lead. */
const addresses = new WeakMap<JobConnection, EngineAddress>()

/**
 * Connects to a job, trying again while that makes sense and there is time.
 * @param announce gets one sentence for each new reason to wait: a state of the job, mostly
 */
export async function openSession(
  target: SessionTarget,
  log: Logger,
  announce: (sentence: string) => void,
): Promise<JobConnection> {
  const attempt = async (): Promise<JobConnection> => {
    const opening = (await findStream(target, log))()
    // An engine's programs are under way meanwhile: what SSH needs is loaded while we wait for them.
    const [{ connect }, { stream, address, ...keys }] = await Promise.all([
      import('../client/connect.js'),
      opening,
    ])
    const connection = await connect(stream, { log, ...keys })
    if (address !== undefined) addresses.set(connection, address)
    return connection
  }
  const connection = await retry(attempt, {
    forMs: target.waitMs,
    ...(await intervalsFor(target)),
    onWait: (error) => announce(`sshjob: Waiting for job ${target.job}. ${printable(error.message)}`),
  }).catch((error) => {
    throw target.waitMs === 0 ? withHint(error) : error
  })
  log.info({ ...connection.job }, 'connected')
  keepCode()
  return connection
}

/** Gives what opens the way into the job, and begins to when it is called. */
async function findStream(
  { job, proxyCommand, htcondor, waitMs }: SessionTarget,
  log: Logger,
): Promise<() => Promise<FoundJob>> {
  if (proxyCommand === undefined) {
    const { findJob } = await import('../engines/open-job.js')
    return findJob(job, { htcondor, log, thorough: waitMs === 0 })
  }
  return async () => ({ stream: await openThroughCommand(proxyCommand, job, log) })
}

/** The stream to a job that a command carries, such as `docker exec -i %h sshjob-server -i`. */
export async function openThroughCommand(proxyCommand: string, job: string, log: Logger): Promise<Duplex> {
  const { commandStream } = await import('../streams/command.js')
  const command = expandProxyCommand(proxyCommand, job)
  log.debug({ command }, 'starting the proxy command')
  // The shell that the user's commands are written for, and no process more than the command: ssh_config(5).
  const argv = [process.env.SHELL ?? '/bin/sh', '-c', `exec ${command}`]
  return commandStream(argv, { stderr: process.stderr })
}

/** Why a session failed: where its connection was lost, the engine knows whether that is because the job has ended. */
export async function explainEnd(
  connection: JobConnection,
  error: unknown,
  { htcondor }: Pick<SessionTarget, 'htcondor'>,
): Promise<unknown> {
  const address = addresses.get(connection)
  if (address === undefined || !(error instanceof SshjobError)) return error
  // What serves the session may say goodbye, or be ended before it can.
  const isOver = error.code === 'connection-lost' || error.code === 'connection-closed'
  return isOver ? address.engine.explain(address.id, error, { htcondor }) : error
}

/** Asking an engine costs its servers something. */
async function intervalsFor({ job, proxyCommand }: SessionTarget): Promise<Intervals> {
  if (proxyCommand !== undefined) return {}
  const { plainAddress, prefixedAddress } = await import('../engines/engines.js')
  const isOfEngine = (prefixedAddress(job) ?? plainAddress(job)) !== undefined
  return isOfEngine ? { intervalMs: ENGINE_RETRY_MIN_MS, maxIntervalMs: ENGINE_RETRY_MAX_MS } : {}
}

function withHint(error: unknown): unknown {
  if (!(error instanceof SshjobError) || error.code !== 'job-not-started') return error
  const { code, message, retry, cause } = error
  return new SshjobError(code, `${message} With --wait, sshjob waits for it.`, { retry, cause })
}

/** %h is the job, %% a percent sign. The job stands in a command line, so it has to be a plain name there. */
export function expandProxyCommand(command: string, job: string): string {
  return command.replaceAll(/%(.?)/g, (token, letter: string) => {
    if (letter === '%') return '%'
    if (letter !== 'h') throw usage(`--proxy-command knows %h and %%, not ${token}.`)
    if (!/^[\w.:@][\w.:@-]*$/.test(job)) throw usage(`'${job}' is no name of a job.`)
    return job
  })
}

interface Intervals {
  /** Between two tries, in milliseconds. Default: RETRY_INTERVAL_MS. */
  intervalMs?: number
  /** What it grows to. Default: it does not grow. */
  maxIntervalMs?: number
}

export interface RetryOptions extends Intervals {
  forMs: number
  onWait: (reason: SshjobError) => void
}

const GROWTH = 1.25

/** Calls until it succeeds, fails for good, or the time is over; then the last error is thrown. */
export async function retry<T>(
  attempt: () => Promise<T>,
  { forMs, intervalMs = RETRY_INTERVAL_MS, maxIntervalMs = intervalMs, onWait }: RetryOptions,
): Promise<T> {
  const deadline = Date.now() + forMs
  let announced: string | undefined
  for (let pause = intervalMs; ; pause = Math.min(pause * GROWTH, maxIntervalMs)) {
    try {
      return await attempt()
    } catch (error) {
      const left = deadline - Date.now()
      if (!(error instanceof SshjobError && error.retry) || left <= 0) throw error
      if (announced !== error.message) onWait(error)
      announced = error.message
      await delay(Math.min(pause, left))
    }
  }
}
