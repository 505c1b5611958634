import { HTCONDOR_TOOL_TIMEOUT_MS } from '../../core/limits.js'
import { runHelper } from '../../process/helpers.js'
import { queueId } from './job-id.js'
import type { Queue } from './settings.js'
import { queueArguments } from './tools.js'

/** Takes a job out of its queue. What speaks against it, condor_rm(1) says on our stderr. */
export function removeJob(id: string, queue: Queue): void {
  try {
    runHelper('condor_rm', [...queueArguments(queue), queueId(id)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: HTCONDOR_TOOL_TIMEOUT_MS,
    })
  } catch {
    // It has said why.
  }
}
