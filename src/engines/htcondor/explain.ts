import { SshjobError } from '../../core/errors.js'
import type { ExplainOptions } from '../engine.js'
import { analyse } from './analysis.js'
import { queueId } from './job-id.js'
import { explainState, stateOf } from './job-state.js'
import { explainNode } from './nodes.js'
import { type JobAd, readHistory, readQueue } from './queue.js'
import type { Queue } from './settings.js'

/** Why a job could not be opened: its state if that is the reason, or else what is known of the failure. */
export async function explainFailure(
  id: string,
  queue: Queue,
  failure: SshjobError,
  { signal, thorough }: ExplainOptions,
): Promise<SshjobError> {
  // Without its programs, or with the schedd away, there is nobody to ask.
  if (failure.code === 'aborted' || failure.code === 'program-missing') return failure
  try {
    const job = queueId(id)
    const ad = await findAd(job, queue, signal)
    if (ad === undefined) return notFound(job)
    const state = stateOf(ad)
    const findings = state === 'idle' && thorough ? await analyse(job, queue, { signal }) : undefined
    const ofNode = state === 'running' ? explainNode(id, ad, failure) : undefined
    return ofNode ?? explainState(job, ad, failure, findings) ?? failure
  } catch (error) {
    if (error instanceof SshjobError && error.code === 'aborted') throw error
    return failure
  }
}

async function findAd(
  job: string,
  queue: Queue,
  signal: AbortSignal | undefined,
): Promise<JobAd | undefined> {
  const [queued] = await readQueue(job, queue, { signal })
  return queued ?? readHistory(job, queue, { signal })
}

function notFound(id: string): SshjobError {
  return new SshjobError(
    'job-not-found',
    `HTCondor has no job ${id} here, neither in its queue nor in its history: 'sshjob ls' shows yours.`,
  )
}
