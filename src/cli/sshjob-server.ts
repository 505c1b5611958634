import { describeUnexpected, SshjobError } from '../core/errors.js'
import { EXIT_FAILURE } from '../core/exit-failure.js'
import { THREADS_SERVING } from '../core/limits.js'
import { printable } from '../core/printable.js'
import { widenThreadPool } from '../core/thread-pool.js'
import { VERSION } from '../core/version.js'
import type { ProcessEnd } from '../job/job.js'
import { exitAtOnce } from '../process/exit.js'
import { exitStatusOf } from '../starter/job-end.js'
import { printHelp } from './manual/print-help.js'
import { errorOutput } from './server/error-output.js'
import { catchSignals } from './server/signals.js'
import { findWrapper, wordFor } from './server/wrapper/wrapper.js'

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
  if (settings.mode === 'help') return { exitCode: await printHelp(import('./manual/server.js')) }
  if (settings.mode === 'version') {
    process.stdout.write(`sshjob-server ${VERSION}\n`)
    return { exitCode: 0 }
  }
  const { openJobLog, openLog } = await import('./server/log.js')
  const { logLevel: level, logFile: file, logFormat: format } = settings
  if (settings.mode === 'inetd') {
    const { serveStdio } = await import('./server/serve-stdio.js')
    const log = await openLog({ level, file, format, errors })
    return { exitCode: await serveStdio(settings, signals, log).finally(() => log.flush()) }
  }
  const { runJob } = await import('./server/run-job.js')
  const { ownHost } = await import('./server/job-host.js')
  const { wrapperHost } = await import('./server/wrapper/wrapper-host.js')
  const log = await openJobLog({ level, file, format, errors })
  for (const complaint of settings.complaints) log.warn({}, complaint)
  // Nothing that a session does may end the job's starter, not even by a mistake of ours.
  process.off('uncaughtException', fail)
  process.on('uncaughtException', (error) =>
    log.error({ err: error }, 'a mistake of sshjob-server, please report it'),
  )
  const host = wrapper === undefined ? ownHost(signals) : wrapperHost(wrapper, signals)
  return runJob(settings, host, { log, errors }).finally(() => log.flush())
}

/** One sentence for whatever went wrong. */
function fail(error: unknown): never {
  // Where it is us that fail, and not what was asked for, the command is run without us.
  const isOurs = !(error instanceof SshjobError) || error.retry
  if (wrapper !== undefined && isOurs) {
    wrapper.tell(`bare ${whyBare(error)}`)
    return exitAtOnce(EXIT_FAILURE)
  }
  errors.write(`sshjob-server: ${printable(describeUnexpected(error))}\n`)
  return leave({ exitCode: EXIT_FAILURE })
}

function whyBare(error: unknown): string {
  if (!(error instanceof SshjobError)) return printable(describeUnexpected(error))
  const { cause } = error
  return cause instanceof SshjobError
    ? cause.message
    : 'No process could be started for it beside the server.'
}

function leave(end: ProcessEnd): never {
  wrapper?.tell(wordFor(end))
  wrapper?.tell('bye')
  return exitAtOnce(exitStatusOf(end))
}

widenThreadPool(THREADS_SERVING)
process.on('uncaughtException', fail)
run(process.argv.slice(2)).then(leave, fail)
