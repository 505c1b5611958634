import { listJobs } from '../engines/local.js'
import type { JobInfo } from '../hello/messages.js'
import { parseArguments, usage } from './options.js'
import { say } from './report.js'
import { formatTable } from './table.js'

/** `sshjob ls [--json]` */
export async function runListCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, {
    json: { help: 'print JSON' },
    help: { short: 'h', help: 'print this' },
  })
  if (given.some(({ name }) => name === 'help')) {
    process.stdout.write('Usage: sshjob ls [--json]\n\nLists the jobs that you can enter on this machine.\n')
    return 0
  }
  if (operands.length > 0) throw usage("'sshjob ls' takes no arguments.")

  const jobs = await listJobs()
  if (given.some(({ name }) => name === 'json')) process.stdout.write(`${JSON.stringify(jobs, null, 2)}\n`)
  else if (jobs.length === 0)
    say('No jobs are running here. Start one with: sshjob-server --job-id NAME -- COMMAND')
  else process.stdout.write(formatJobs(jobs, process.stdout.isTTY ? process.stdout.columns : undefined))
  return 0
}

/** A line for each job; the command, which comes last, is cut to the width of the terminal. */
export function formatJobs(jobs: readonly JobInfo[], width: number | undefined): string {
  const rows = jobs.map((job) => [
    job.id,
    job.pids.join(','),
    job.user,
    formatTime(new Date(job.since)),
    job.command.join(' '),
  ])
  return formatTable([['ID', 'PIDS', 'USER', 'SINCE', 'COMMAND'], ...rows], width)
}

/** The time of day for people, in their zone: '2026-01-31 14:05'. */
function formatTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`
}
