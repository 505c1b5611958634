import { SshjobError } from '../../core/errors.js'
import { HTCONDOR_NODE_START_MS } from '../../core/limits.js'
import type { JobAd } from './queue.js'

/** Where the nodes of a parallel job run, by their numbers, as 'slot1@node7'; none of any other job. */
export function nodesOf(ad: JobAd): string[] {
  const { AllRemoteHosts: slots } = ad
  return typeof slots === 'string' ? slots.split(',').map((slot) => slot.trim()) : []
}

/**
 * Why a node of a parallel job that runs could not be entered, or the job without naming one of its nodes; undefined
 * where the reason is another one.
 * @param failure what was tried and failed
 */
export function explainNode(
  id: string,
  ad: JobAd,
  failure: SshjobError,
  now = Date.now(),
): SshjobError | undefined {
  const count = nodesOf(ad).length
  if (count < 2) return undefined
  const [cluster, proc, node] = id.split('.')
  const job = `${cluster}.${proc}`
  const all = `${job}.0 ${count === 2 ? 'and' : 'to'} ${job}.${count - 1}`
  if (node === undefined) {
    return new SshjobError('usage', `Job ${job} is a parallel one: name one of its nodes, ${all}.`)
  }
  if (Number(node) >= count) {
    return new SshjobError('job-not-found', `Job ${job} has no node ${node}: its nodes are ${all}.`)
  }
  const { EnteredCurrentStatus: since } = ad
  const starts = typeof since !== 'number' || now - since * 1_000 < HTCONDOR_NODE_START_MS
  if (failure.code !== 'job-not-started' || starts) return undefined
  // Its shadow gives the starter of each node the claim of node 0, and the schedd calls each by the key of its own.
  return new SshjobError(
    'unreachable',
    `HTCondor does not get to node ${node} of job ${job}: what ran there has ended, or SEC_ENABLE_MATCH_PASSWORD_AUTHENTICATION is on where the job was submitted, with which HTCondor only gets to node 0.`,
    { cause: failure },
  )
}
