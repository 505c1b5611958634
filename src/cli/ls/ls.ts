import { formatDuration } from '../../core/format-time.js'
import { printableJson } from '../../core/printable.js'
import type { EngineJob } from '../../engines/engine.js'
import { listJobs } from '../../engines/list-jobs.js'
import { FIND_OPTIONS, readEngineOptions } from '../arguments/engine-options.js'
import { parseArguments, usage } from '../arguments/options.js'
import { printHelp } from '../manual/print-help.js'
import { printable, say } from '../output/report.js'
import { formatTable } from '../output/table.js'
import { LS_OPTIONS } from './options.js'

/** `sshjob ls [--json]` */
export async function runListCommand(args: readonly string[]): Promise<number> {
  const { given, givenMore, operands } = parseArguments(args, LS_OPTIONS, 'sshjob ls', FIND_OPTIONS)
  if (given.some(({ name }) => name === 'help')) {
    return printHelp(import('../manual/ls.js'))
  }
  if (operands.length > 0) throw usage("'sshjob ls' takes no arguments.")

  const jobs = await listJobs({
    ...readEngineOptions(givenMore),
    onFailure: ({ message }) => say(`sshjob: ${printable(message)}`),
  })
  if (given.some(({ name }) => name === 'json'))
    process.stdout.write(`${printableJson(JSON.stringify(jobs, null, 2))}\n`)
  else if (jobs.length === 0)
    say('No jobs are running here. Start one with: sshjob-server --job-id NAME -- COMMAND')
  else
    process.stdout.write(
      formatJobs(jobs, Date.now(), process.stdout.isTTY ? process.stdout.columns : undefined),
    )
  return 0
}

/** A line for each job; the last column, which says what is run or why nothing is, is cut to the terminal's width. */
export function formatJobs(jobs: readonly EngineJob[], now: number, width: number | undefined): string {
  const rows = jobs.map((job) => [
    job.id,
    job.state,
    job.host ?? '-',
    job.since === undefined ? '-' : formatDuration(now - Date.parse(job.since)),
    job.reason ?? job.command.join(' '),
  ])
  return formatTable([['ID', 'STATE', 'HOST', 'FOR', 'COMMAND OR REASON'], ...rows], width)
}
