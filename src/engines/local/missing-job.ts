import { hostname } from 'node:os'
import { SshjobError } from '../../core/errors.js'
import type { OrphanedJob } from './job-record.js'
import { nearestNames } from './nearest-names.js'
import type { Refused } from './runtime-directory.js'

/**
 * Why there is no job of this id: what a person needs to find the one that was meant.
 * @param elsewhere where else it could be, and why it is not looked for there: the end of a sentence
 */
export function missingJob(
  id: string,
  {
    ids,
    refused,
    elsewhere,
  }: { ids: readonly string[]; refused: readonly Refused[]; elsewhere: string | undefined },
): SshjobError {
  const unsafe = refused
    .filter(({ kind }) => kind === 'ours')
    .map(({ directory, why }) => ` The folder ${directory} was left out: ${why}.`)
  return new SshjobError(
    'job-not-found',
    `No job ${id} of yours runs on this machine (${hostname()})${whatElse(id, ids, elsewhere)}${unsafe.join('')}`,
    // It may be about to be started.
    { retry: true },
  )
}

function whatElse(id: string, ids: readonly string[], elsewhere: string | undefined): string {
  const nearest = nearestNames(id, ids)
  if (nearest.length > 0) return `. Did you mean ${nearest.join(' or ')}?`
  if (elsewhere !== undefined) return `, and ${elsewhere}.`
  return ': `sshjob ls` shows those that do, and one that runs elsewhere is entered there.'
}

/** The job runs, and nobody can enter it. */
export function orphanedJob({ id, starter, pid }: OrphanedJob): SshjobError {
  return new SshjobError(
    'unreachable',
    `The sshjob-server of job ${id} (process ${starter}) was killed, so nobody can enter the job: its process ${pid} runs on.`,
  )
}
