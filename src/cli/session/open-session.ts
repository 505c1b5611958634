import type { Duplex } from 'node:stream'
import { SshjobError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { retry } from '../../core/retry.js'
import type { EngineSettings } from '../../engines/engines.js'
import type { EnteredJob } from '../../engines/enter-job.js'
import type { ResolvedJob } from '../../engines/resolve-job.js'
import { usage } from '../arguments/options.js'
import { keepCode } from '../keep-code.js'
import { printable } from '../output/report.js'

export interface SessionTarget {
  job: string
  proxyCommand: string | undefined
  /** How long to try while the job has not started, in milliseconds. */
  waitMs: number
  engines: EngineSettings
  /** Whether programs of an engine say on our stderr all that they do. Default: false. */
  debug?: boolean
  /** What the name means, where that is decided already. */
  resolved?: ResolvedJob | undefined
}

interface Opening {
  waitMs: number
  onWait: (reason: SshjobError) => void
}

/**
 * Connects to a job, trying again while that makes sense and there is time.
 * @param announce gets one sentence for each new reason to wait: a state of the job, mostly
 */
export async function openSession(
  target: SessionTarget,
  log: Logger,
  announce: (sentence: string) => void,
): Promise<EnteredJob> {
  const { job, waitMs, proxyCommand } = target
  const opening = {
    waitMs,
    onWait: (error: SshjobError) => announce(`sshjob: Waiting for job ${job}. ${printable(error.message)}`),
  }
  const entered = await (proxyCommand === undefined
    ? enterByName(target, log, opening)
    : enterThroughCommand(proxyCommand, job, log, opening)
  ).catch((error) => {
    throw waitMs === 0 ? withHint(error) : error
  })
  log.info({ ...entered.connection.job }, 'connected')
  keepCode()
  return entered
}

async function enterByName(
  { job, engines, debug, resolved }: SessionTarget,
  log: Logger,
  opening: Opening,
): Promise<EnteredJob> {
  const [{ resolveJob }, { enterJob }] = await Promise.all([
    import('../../engines/resolve-job.js'),
    import('../../engines/enter-job.js'),
  ])
  return enterJob(resolved ?? resolveJob(job, engines), { log, debug, ...opening })
}

async function enterThroughCommand(
  proxyCommand: string,
  job: string,
  log: Logger,
  { waitMs, onWait }: Opening,
): Promise<EnteredJob> {
  const attempt = async (): Promise<EnteredJob> => {
    const stream = await openThroughCommand(proxyCommand, job, log)
    const { connect } = await import('../../client/connect.js')
    return { connection: await connect(stream, { log }), explain: (error) => Promise.resolve(error) }
  }
  return retry(attempt, { forMs: waitMs, onWait })
}

/** The stream to a job that a command carries, such as `docker exec -i %h sshjob-server -i`. */
export async function openThroughCommand(proxyCommand: string, job: string, log: Logger): Promise<Duplex> {
  const { commandStream } = await import('../../streams/command.js')
  const command = expandProxyCommand(proxyCommand, job)
  log.debug({ command }, 'starting the proxy command')
  // The shell that the user's commands are written for, and no process more than the command: ssh_config(5).
  const argv = [process.env.SHELL ?? '/bin/sh', '-c', `exec ${command}`]
  return commandStream(argv, { stderr: process.stderr })
}

function withHint(error: unknown): unknown {
  if (!(error instanceof SshjobError) || error.code !== 'job-not-started') return error
  const { code, message, retry: again, cause } = error
  return new SshjobError(code, `${message} With --wait, sshjob waits for it.`, { retry: again, cause })
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
