import { hostname } from 'node:os'
import { numberOf, readJobAd } from '../../engines/htcondor/job-ad.js'
import type { ErrorOutput } from './error-output.js'

export interface Announced {
  id: string
  user: string
  /** The socket that was asked for by its path; undefined: one that is found by the id. */
  listen?: string | undefined
}

/**
 * How to enter this job, and from where, as one line: for the log of a batch system, which is where somebody looks who
 * wants to.
 * @param environment where a batch system says what it calls this job
 */
export function announcement(
  { id, user, listen }: Announced,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const here = `on ${hostname()} as ${user}`
  if (listen !== undefined) {
    return `sshjob-server: Whoever reaches ${listen} ${here} enters job ${id}: sshjob --proxy-command 'socat - UNIX:${listen}' ${id}`
  }
  const number = htcondorId(environment)
  const elsewhere = number === undefined ? '' : `, or where HTCondor has it: sshjob ${number}`
  return `sshjob-server: To enter this job, ${here}: sshjob ${id}${elsewhere}`
}

/** Writes it to stderr, or not at all: neither a reader who doesn't read nor one who has gone keeps the job waiting. */
export function announce(announced: Announced, errors: ErrorOutput): void {
  errors.writeLater(`${announcement(announced)}\n`)
}

function htcondorId({
  _CONDOR_JOB_AD: file,
}: Readonly<Record<string, string | undefined>>): string | undefined {
  if (file === undefined) return undefined
  const ad = readJobAd(file)
  const [cluster, proc] = [numberOf(ad, 'ClusterId'), numberOf(ad, 'ProcId')]
  return cluster === undefined || proc === undefined ? undefined : `${cluster}.${proc}`
}
