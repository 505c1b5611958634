import { describeOptions, type OptionTable, parseArguments, usage } from './options.js'
import { printable } from './report.js'

const OPTIONS = {
  prefix: { value: 'DIR', help: 'install: where the copy goes (default /usr/local/lib/sshjob)' },
  'dry-run': { help: 'install, uninstall: say what would be done' },
  help: { short: 'h', help: 'print this' },
} satisfies OptionTable<string>

/** The exit status of `doctor` where something is broken: 255 is for what it can't find out. */
const BROKEN = 1

/** `sshjob htcondor install|uninstall|doctor`: HTCondor's own side of it, on the machines of a pool. */
export async function runHtcondorCommand(args: readonly string[]): Promise<number> {
  const [action = '', ...rest] = args
  const { given, operands } = parseArguments(action.startsWith('-') ? args : rest, OPTIONS)
  const has = (name: keyof typeof OPTIONS): boolean => given.some((option) => option.name === name)
  if (has('help') || action === '') {
    process.stdout.write(helpText())
    return 0
  }
  if (operands.length > 0) throw usage(`'sshjob htcondor ${action}' takes no arguments.`)
  const prefix = given.findLast((option) => option.name === 'prefix')?.value
  if (prefix !== undefined && action !== 'install') throw usage('--prefix is for install.')
  if (has('dry-run') && action === 'doctor') throw usage('doctor changes nothing: it takes no --dry-run.')
  const dryRun = has('dry-run')
  const tell = (sentence: string): void => void process.stdout.write(`${sentence}\n`)
  switch (action) {
    case 'install': {
      const { DEFAULT_PREFIX, install } = await import('./htcondor/install.js')
      await install({ prefix: prefix ?? DEFAULT_PREFIX, dryRun, tell })
      return 0
    }
    case 'uninstall': {
      const { uninstall } = await import('./htcondor/install.js')
      await uninstall({ dryRun, tell })
      return 0
    }
    case 'doctor': {
      const { examine, formatFindings } = await import('./htcondor/doctor.js')
      const findings = (await examine()).map((finding) => ({ ...finding, text: printable(finding.text) }))
      process.stdout.write(formatFindings(findings))
      return findings.some(({ level }) => level === 'broken') ? BROKEN : 0
    }
    default:
      throw usage(`'sshjob htcondor' knows install, uninstall and doctor, not '${action}'.`)
  }
}

function helpText(): string {
  return `Usage: sshjob htcondor install [--prefix DIR] [--dry-run]
       sshjob htcondor uninstall [--dry-run]
       sshjob htcondor doctor

install makes HTCondor on this machine serve condor_ssh_to_job with sshjob instead of
sshd: it puts a copy of sshjob and of this Node.js in place, and writes HTCondor's
configuration. uninstall takes both away. doctor says whether jobs here can be entered,
and if not, what to do; its exit status is ${BROKEN} when something is broken.

${describeOptions(OPTIONS)}`
}
