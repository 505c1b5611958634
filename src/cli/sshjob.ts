import { exitAtOnce } from '../process/exit.js'
import { allowClosedOutput, flushOutput, reportFailure } from './output/report.js'

/**
 * The first word may name a subcommand; anything else is an option or the name of a job. Only what is asked for is
 * loaded: a proxy copies bytes and needs no SSH, and a short command should not wait for what it doesn't use.
 */
async function run(args: readonly string[]): Promise<number> {
  const rest = args.slice(1)
  switch (args[0]) {
    case 'proxy':
      return (await import('./ssh-config/proxy.js')).runProxyCommand(rest)
    case 'cp':
      return (await import('./copy/cp.js')).runCopyCommand(rest)
    case 'ls':
      return (await import('./ls/ls.js')).runListCommand(rest)
    case 'open':
      return (await import('./open/open.js')).runOpenCommand(rest)
    case 'htcondor':
      return (await import('./htcondor/htcondor.js')).runHtcondorCommand(rest)
    case 'ssh-config':
      return (await import('./ssh-config/ssh-config.js')).runConfigCommand(rest)
    case 'completion':
      return (await import('./completion/run-completion.js')).runCompletionCommand(rest)
    case 'demo':
      return (await import('./demo.js')).runDemoCommand(rest)
    default:
      return (await import('./session/session.js')).runSessionCommand(args)
  }
}

async function exit(status: number): Promise<void> {
  await flushOutput()
  exitAtOnce(status)
}

// Whatever goes wrong is one sentence and our status, never a stack trace and 1: that could be the job's own.
allowClosedOutput()
process.on('uncaughtException', (error) => exitAtOnce(reportFailure(error)))
run(process.argv.slice(2)).catch(reportFailure).then(exit)
