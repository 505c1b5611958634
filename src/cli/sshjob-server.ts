import { messageOf, SshjobError } from '../core/errors.js'
import type { ProcessEnd } from '../job/job.js'
import { exitStatusOf } from '../starter/job-end.js'
import { errorOutput } from './server/error-output.js'
import { catchSignals } from './server/signals.js'
import { findWrapper, wordFor } from './server/wrapper/wrapper.js'

/** Our own failures, as of ssh(1) and sshjob. */
const EXIT_FAILURE = 255

const signals = catchSignals()
const wrapper = findWrapper()
if (wrapper !== undefined) signals.catchOthers({ behindWrapper: true })
const errors = errorOutput(wrapper)

async function run(args: readonly string[]): Promise<ProcessEnd> {
  const { isSshdCall } = await import('./server/sshd/arguments.js')
  if (isSshdCall(args)) {
    const { runSshd } = await import('./server/sshd/run.js')
    return { exitCode: await runSshd(args, signals) }
  }
  const { readSettings } = await import('./server/settings.js')
  const settings = readSettings(args, wrapper?.pid)
  if (settings.mode === 'help' || settings.mode === 'version') {
    const { helpText, versionText } = await import('./server/help.js')
    process.stdout.write(settings.mode === 'help' ? helpText() : versionText())
    return { exitCode: 0 }
  }
  const { openJobLog, openLog } = await import('./server/log.js')
  const { logLevel, logFile } = settings
  if (settings.mode === 'inetd') {
    const { serveStdio } = await import('./server/serve-stdio.js')
    return { exitCode: await serveStdio(settings, signals, openLog(logLevel, logFile)) }
  }
  const { runJob } = await import('./server/run-job.js')
  const { ownHost } = await import('./server/job-host.js')
  const { wrapperHost } = await import('./server/wrapper/wrapper-host.js')
  const log = openJobLog(logLevel, logFile, errors)
  for (const complaint of settings.complaints) log.warn({}, complaint)
  // Nothing that a session does may end the job's starter, not even by a mistake of ours.
  process.off('uncaughtException', failAtOnce)
  process.on('uncaughtException', (error) =>
    log.error({ err: error }, 'a mistake of sshjob-server, please report it'),
  )
  return runJob(settings, wrapper === undefined ? ownHost(signals) : wrapperHost(wrapper, signals), log)
}

/** One sentence for whatever went wrong. */
function fail(error: unknown): never {
  // Where it is us that fail, and not what was asked for, the command is run without us.
  const isOurs = !(error instanceof SshjobError) || error.retry
  if (wrapper !== undefined && isOurs) {
    const isSystem = error instanceof SshjobError
    wrapper.tell(
      `bare ${isSystem ? 'No process could be started for it beside the server.' : messageOf(error)}`,
    )
    process.exit(EXIT_FAILURE)
  }
  errors.write(`sshjob-server: ${messageOf(error)}\n`)
  return leave({ exitCode: EXIT_FAILURE })
}

function leave(end: ProcessEnd): never {
  const status = exitStatusOf(end)
  wrapper?.tell(wordFor(end))
  wrapper?.tell('bye')
  process.exit(status)
}

const failAtOnce = (error: unknown): void => fail(error)
process.on('uncaughtException', failAtOnce)
run(process.argv.slice(2)).then(leave, fail)
