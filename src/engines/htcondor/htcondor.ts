import { SshjobError } from '../../core/errors.js'
import { HTCONDOR_TOOL_TIMEOUT_MS } from '../../core/limits.js'
import { runHelper } from '../../process/helpers.js'
import type { Engine, ExplainOptions } from '../engine.js'
import { analyse } from './analysis.js'
import { queueId, recogniseJobId } from './job-id.js'
import { describeJob, explainState, stateOf } from './job-state.js'
import { explainNode } from './nodes.js'
import { openHtcondorJob } from './open.js'
import { type JobAd, readHistory, readQueue } from './queue.js'
import { findTool, queueArguments } from './tools.js'

/** HTCondor, by its own programs: they know the pool, its security, and how to reach an execution point. */
export const htcondor: Engine = {
  name: 'htcondor',
  recognise: recogniseJobId,
  isHere: () => findTool('condor_ssh_to_job') !== undefined,
  absence: 'HTCondor, whose jobs have such names, has no programs in PATH here (condor_ssh_to_job)',

  async list(options) {
    return (await readQueue(undefined, options)).flatMap(describeJob)
  },

  open: openHtcondorJob,

  async explain(id, failure, options) {
    // Without its programs, or with the schedd away, there is nobody to ask.
    if (failure.code === 'aborted' || failure.code === 'program-missing') return failure
    try {
      const job = queueId(id)
      const ad = await findAd(job, options)
      if (ad === undefined) return notFound(job)
      const state = stateOf(ad)
      const findings = state === 'idle' && options.thorough ? await analyse(job, options) : undefined
      const ofNode = state === 'running' ? explainNode(id, ad, failure) : undefined
      return ofNode ?? explainState(job, ad, failure, findings) ?? failure
    } catch (error) {
      if (error instanceof SshjobError && error.code === 'aborted') throw error
      return failure
    }
  },

  remove(id, { htcondor: queue }) {
    try {
      runHelper('condor_rm', [...queueArguments(queue), queueId(id)], {
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: HTCONDOR_TOOL_TIMEOUT_MS,
      })
    } catch {
      // It has said why.
    }
  },
}

async function findAd(job: string, options: ExplainOptions): Promise<JobAd | undefined> {
  const [queued] = await readQueue(job, options)
  return queued ?? readHistory(job, options)
}

function notFound(id: string): SshjobError {
  return new SshjobError(
    'job-not-found',
    `HTCondor has no job ${id} here, neither in its queue nor in its history: 'sshjob ls' shows yours.`,
  )
}
