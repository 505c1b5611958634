import { parseArguments, usage } from '../arguments/options.js'
import { printHelp } from '../manual/print-help.js'
import { printable } from '../output/report.js'
import { HTCONDOR_OPTIONS } from './options.js'

/** The exit status of `doctor` where something is broken: 255 is for what it can't find out. */
const BROKEN = 1

/** `sshjob htcondor install|uninstall|doctor`: HTCondor's own side of it, on the machines of a pool. */
export async function runHtcondorCommand(args: readonly string[]): Promise<number> {
  const [action = '', ...rest] = args
  const { given, operands } = parseArguments(
    action.startsWith('-') ? args : rest,
    HTCONDOR_OPTIONS,
    'sshjob htcondor',
  )
  const has = (name: keyof typeof HTCONDOR_OPTIONS): boolean => given.some((option) => option.name === name)
  if (has('help') || action === '') {
    return printHelp(import('../manual/htcondor.js'))
  }
  if (operands.length > 0) throw usage(`'sshjob htcondor ${action}' takes no arguments.`)
  const prefix = given.findLast((option) => option.name === 'prefix')?.value
  if (prefix !== undefined && action !== 'install') throw usage('--prefix is for install.')
  if (has('dry-run') && action === 'doctor') throw usage('doctor changes nothing: it takes no --dry-run.')
  const dryRun = has('dry-run')
  const tell = (sentence: string): void => void process.stdout.write(`${sentence}\n`)
  switch (action) {
    case 'install': {
      const { DEFAULT_PREFIX, install } = await import('../../engines/htcondor/installation/install.js')
      await install({ prefix: prefix ?? DEFAULT_PREFIX, dryRun, tell })
      return 0
    }
    case 'uninstall': {
      const { uninstall } = await import('../../engines/htcondor/installation/install.js')
      await uninstall({ dryRun, tell })
      return 0
    }
    case 'doctor': {
      const [{ examine }, { formatFindings }] = await Promise.all([
        import('../../engines/htcondor/installation/doctor.js'),
        import('./format-findings.js'),
      ])
      const findings = (await examine()).map((finding) => ({ ...finding, text: printable(finding.text) }))
      process.stdout.write(formatFindings(findings))
      return findings.some(({ level }) => level === 'broken') ? BROKEN : 0
    }
    default:
      throw usage(`'sshjob htcondor' knows install, uninstall and doctor, not '${action}'.`)
  }
}
