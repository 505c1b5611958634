import { messageOf, SshjobError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { type JobSocket, listenAt } from '../../engines/local/job-socket.js'
import { listenForJob } from '../../engines/local/local-jobs.js'
import { type LaunchedJob, launchJob } from '../../job/launch-job.js'
import { unixServer } from '../../sockets/unix.js'
import { exitStatusOf, jobEnded } from '../../starter/job-end.js'
import { type Starter, startStarter } from '../../starter/starter.js'
import { announce } from './announce.js'
import type { Settings } from './settings.js'
import type { Signals } from './signals.js'

/**
 * Runs the command as a job, serves sessions into it, and gives the status to exit with. The socket comes first: a job
 * of this id that runs already must not get a twin.
 * @throws SshjobError if the job could not be started; afterwards, whatever goes wrong with serving it is logged
 */
export async function runJob(settings: Settings, signals: Signals, log: Logger): Promise<number> {
  const { jobId, listen, maxSessions, serveOptions, quiet } = settings
  const server = unixServer()
  // Before the socket has its name: a client may find that in the same instant.
  const starter = startStarter({ server, maxSessions, serveOptions, log })
  const socket: JobSocket =
    listen === undefined ? await listenForJob(jobId, { server }) : await listenAt(listen, server)
  try {
    const launched = await launch(settings, starter)
    log.info({ job: jobId, socket: socket.path }, 'job started')
    if (!quiet) announce({ id: jobId, user: launched.job.user, listen })
    // Of use only if we are killed: nothing waits for it, and nothing fails with it.
    socket
      .remember?.(launched.pid)
      .catch((error: unknown) => log.debug({ err: error }, 'what the job is could not be written down'))
    return await attend(settings, launched, starter, signals, log)
  } finally {
    await closeSocket(socket, log)
  }
}

async function launch({ jobId, command }: Settings, starter: Starter): Promise<LaunchedJob> {
  try {
    const launched = await launchJob([...command], { id: jobId })
    starter.begin(launched.job)
    return launched
  } catch (error) {
    const reason =
      error instanceof SshjobError
        ? error
        : new SshjobError('job-failed-to-start', messageOf(error), { cause: error })
    await starter.finish(reason)
    throw reason
  }
}

async function attend(
  { jobId, lingerMs }: Settings,
  launched: LaunchedJob,
  starter: Starter,
  signals: Signals,
  log: Logger,
): Promise<number> {
  signals.deliverTo((signal) => void launched.forward(signal.replace(/^SIG/, '')))
  const end = await launched.ended
  // There is no job any more to hand signals on to: they end what has outlived it.
  const hurry = new AbortController()
  signals.deliverTo(() => hurry.abort())
  const reason = jobEnded(jobId, end)
  log.info({ job: jobId, sessions: starter.sessions }, reason.message)
  await starter.finish(reason, { lingerMs, signal: hurry.signal })
  return exitStatusOf(end)
}

/** The job's status must not be lost because its socket can't be removed. */
async function closeSocket(socket: JobSocket, log: Logger): Promise<void> {
  try {
    await socket.close()
  } catch (error) {
    log.error({ err: error, socket: socket.path }, 'the socket could not be removed')
  }
}
