import { messageOf, SshjobError } from '../core/errors.js'
import { formatDuration } from '../core/format-time.js'
import { printableJson } from '../core/printable.js'
import type { EngineJob, EngineOptions } from '../engines/engine.js'
import { engines } from '../engines/engines.js'
import { listJobs, listOrphans } from '../engines/local.js'
import { orphanedJob } from '../engines/missing-job.js'
import type { JobInfo } from '../hello/messages.js'
import { printHelp } from './manual/print-help.js'
import { parseArguments, usage } from './options.js'
import { QUEUE_OPTIONS, readQueueOptions } from './queue-options.js'
import { printable, say } from './report.js'
import { formatTable } from './table.js'

export const LS_OPTIONS = {
  json: { help: 'print JSON' },
  ...QUEUE_OPTIONS,
  help: { short: 'h', help: 'print this' },
} as const

/** What `sshjob ls --json` prints of a job. */
export type ListedJob = (JobInfo & { engine: 'local'; state: 'running' }) | (EngineJob & { engine: string })

/** `sshjob ls [--json]` */
export async function runListCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, LS_OPTIONS, 'sshjob ls')
  if (given.some(({ name }) => name === 'help')) {
    return printHelp(import('./manual/ls.js'))
  }
  if (operands.length > 0) throw usage("'sshjob ls' takes no arguments.")

  const [jobs, orphans] = await Promise.all([
    findJobs({ htcondor: readQueueOptions(given) }, say),
    listOrphans(),
  ])
  for (const orphan of orphans) say(`sshjob: ${orphanedJob(orphan).message}`)
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

/** Those of this machine, then those of the engines; an engine that does not answer costs a note, not the list. */
async function findJobs(options: EngineOptions, note: (sentence: string) => void): Promise<ListedJob[]> {
  const asked = engines.filter((engine) => engine.isHere())
  const [local, ...answers] = await Promise.all([
    listJobs(),
    ...asked.map(async (engine) => {
      try {
        return (await engine.list(options)).map((job) => ({ ...job, engine: engine.name }))
      } catch (error) {
        if (!(error instanceof SshjobError)) throw error
        note(`sshjob: The jobs of ${engine.name} are not listed. ${printable(messageOf(error))}`)
        return []
      }
    }),
  ])
  return [...local.map(listed), ...answers.flat()]
}

/** A job of this machine among those of engines. */
export function listed(job: JobInfo): ListedJob {
  return { ...job, engine: 'local', state: 'running' }
}

/** A line for each job; the last column, which says what is run or why nothing is, is cut to the terminal's width. */
export function formatJobs(jobs: readonly ListedJob[], now: number, width: number | undefined): string {
  const rows = jobs.map((job) => [
    job.id,
    job.state,
    job.host ?? '-',
    job.since === undefined ? '-' : formatDuration(now - Date.parse(job.since)),
    'reason' in job && job.reason !== undefined ? job.reason : job.command.join(' '),
  ])
  return formatTable([['ID', 'STATE', 'HOST', 'FOR', 'COMMAND OR REASON'], ...rows], width)
}
