import { describeUnexpected } from '../core/errors.js'
import { printable } from '../core/printable.js'
import { VERSION } from '../core/version.js'
import { exitAtOnce } from '../process/exit.js'
import { printHelp } from './manual/print-help.js'
import { catchSignals, type Signals } from './server/signals.js'

/** Our own failures, as of ssh(1) and sshjob. */
const EXIT_FAILURE = 255

/** One sentence for whatever went wrong, and the status to exit with. */
function reportFailure(error: unknown): number {
  process.stderr.write(`sshjob-server: ${printable(describeUnexpected(error))}\n`)
  return EXIT_FAILURE
}

const failAtOnce = (error: unknown): void => process.exit(reportFailure(error))

async function run(args: readonly string[], signals: Signals): Promise<number> {
  const { isSshdCall } = await import('./server/sshd/arguments.js')
  if (isSshdCall(args)) {
    const { runSshd } = await import('./server/sshd/run.js')
    return runSshd(args, signals)
  }
  const { readSettings } = await import('./server/settings.js')
  const settings = readSettings(args)
  if (settings.mode === 'help' || settings.mode === 'version') {
    if (settings.mode === 'help') return printHelp(import('./manual/server.js'))
    process.stdout.write(`sshjob-server ${VERSION}\n`)
    return 0
  }
  const { refuseForeignFile } = await import('./foreign-file.js')
  for (const file of [settings.logFile, settings.listen]) await refuseForeignFile(file)
  const { openLog } = await import('./server/log.js')
  const log = await openLog({ level: settings.logLevel, file: settings.logFile, format: settings.logFormat })
  if (settings.mode === 'inetd') {
    const { serveStdio } = await import('./server/serve-stdio.js')
    return serveStdio(settings, signals, log).finally(() => log.flush())
  }
  const { runJob } = await import('./server/run-job.js')
  // Nothing that a session does may end the job's starter, not even by a mistake of ours.
  process.off('uncaughtException', failAtOnce)
  process.on('uncaughtException', (error) =>
    log.error({ err: error }, 'a mistake of sshjob-server, please report it'),
  )
  return runJob(settings, signals, log).finally(() => log.flush())
}

process.on('uncaughtException', failAtOnce)
run(process.argv.slice(2), catchSignals()).catch(reportFailure).then(exitAtOnce)
