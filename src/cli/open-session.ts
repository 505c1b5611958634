import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobConnection } from '../client/types.js'
import { SshjobError } from '../core/errors.js'
import { RETRY_INTERVAL_MS } from '../core/limits.js'
import type { Logger } from '../core/log.js'
import { usage } from './options.js'
import { printable } from './report.js'

export interface SessionTarget {
  job: string
  proxyCommand: string | undefined
  /** How long to try while the job has not started, in milliseconds. */
  waitMs: number
}

/**
 * Connects to a job, trying again while that makes sense and there is time.
 * @param announce gets one sentence for each new reason to wait
 */
export async function openSession(
  target: SessionTarget,
  log: Logger,
  announce: (sentence: string) => void,
): Promise<JobConnection> {
  const { connect } = await import('../client/connect.js')
  const connection = await retry(async () => connect(await openStream(target, log), { log }), {
    forMs: target.waitMs,
    onWait: (error) => announce(`sshjob: Waiting for job ${target.job}. ${printable(error.message)}`),
  })
  log.info({ ...connection.job }, 'connected')
  return connection
}

async function openStream({ job, proxyCommand }: SessionTarget, log: Logger): Promise<Duplex> {
  if (proxyCommand !== undefined) return openThroughCommand(proxyCommand, job, log)
  const { openJob } = await import('../engines/local.js')
  return openJob(job)
}

/** The stream to a job that a command carries, such as `docker exec -i %h sshjob-server -i`. */
export async function openThroughCommand(proxyCommand: string, job: string, log: Logger): Promise<Duplex> {
  const { commandStream } = await import('../streams/command.js')
  const command = expandProxyCommand(proxyCommand, job)
  log.debug({ command }, 'starting the proxy command')
  // The shell that the user's commands are written for, and no process more than the command: ssh_config(5).
  return commandStream([process.env.SHELL ?? '/bin/sh', '-c', `exec ${command}`], { stderr: process.stderr })
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

/** Errors that say that the job may come to be without anybody doing anything. */
function isTransient(error: unknown): error is SshjobError {
  if (!(error instanceof SshjobError)) return false
  return error.retry || error.code === 'job-not-found' || error.code === 'job-not-started'
}

export interface RetryOptions {
  forMs: number
  /** Between two tries. Default: RETRY_INTERVAL_MS. */
  intervalMs?: number
  onWait: (reason: SshjobError) => void
}

/** Calls until it succeeds, fails for good, or the time is over; then the last error is thrown. */
export async function retry<T>(
  attempt: () => Promise<T>,
  { forMs, intervalMs = RETRY_INTERVAL_MS, onWait }: RetryOptions,
): Promise<T> {
  const deadline = Date.now() + forMs
  let announced: string | undefined
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const left = deadline - Date.now()
      if (!isTransient(error) || left <= 0) throw error
      if (announced !== error.code) onWait(error)
      announced = error.code
      await delay(Math.min(intervalMs, left))
    }
  }
}
