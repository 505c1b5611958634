import { SshjobError } from '../core/errors.js'
import type { ProcessEnd } from '../job/job.js'
import { signalStatus } from '../process/signals.js'

/** What sessions and late clients are told. */
export function jobEnded(id: string, end: ProcessEnd): SshjobError {
  const how =
    end.signal === undefined ? `ended with exit code ${end.exitCode}` : `was ended by SIG${bare(end.signal)}`
  return new SshjobError('job-ended', `The job ${id} ${how}.`)
}

/** The exit status of a process that passes a job's on, as of a shell: 128+n for a signal. */
export function exitStatusOf(end: ProcessEnd): number {
  return end.signal === undefined ? end.exitCode : signalStatus(bare(end.signal))
}

function bare(signal: string): string {
  return signal.replace(/^SIG/, '')
}
