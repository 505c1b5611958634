/** cluster, cluster.proc, or cluster.proc.node of a parallel job, as condor_ssh_to_job(1) takes them. */
const JOB_ID = /^(\d{1,10})(?:\.(\d{1,10})(?:\.(\d{1,10}))?)?$/

/** The id with its proc, which is 0 where there is none; undefined if this is no id of HTCondor's. */
export function recogniseJobId(text: string): string | undefined {
  const match = JOB_ID.exec(text)
  if (match === null) return undefined
  const [, cluster, proc = '0', node] = match
  return [cluster, proc, ...(node === undefined ? [] : [node])].join('.')
}

/** What condor_q and condor_rm know: the nodes of a parallel job are one entry of the queue. */
export function queueId(id: string): string {
  return id.split('.').slice(0, 2).join('.')
}
