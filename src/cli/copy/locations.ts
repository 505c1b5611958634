import { usage } from '../options.js'

export interface CopyRequest {
  job: string
  direction: 'up' | 'down'
  sources: string[]
  target: string
}

/** As scp(1): what has a colon before its first slash is in a job; './a:b' is here. */
const REMOTE = /^([^/:]+):(.*)$/s

/**
 * Understands SRC… DST.
 * @throws SshjobError 'usage' unless exactly one side is in one job
 */
export function parseLocations(operands: readonly string[]): CopyRequest {
  const target = operands.at(-1)
  const sources = operands.slice(0, -1)
  if (target === undefined || sources.length === 0)
    throw usage("'sshjob cp' takes SRC… and DST, one side as JOB:PATH.")
  const remoteTarget = REMOTE.exec(target)
  const remoteSources = sources.map((source) => REMOTE.exec(source))
  const jobs = new Set(remoteSources.map((match) => match?.[1]))
  const [job] = jobs
  if (remoteTarget !== null) {
    if (jobs.size > 1 || job !== undefined) throw usage('Only one side can be in a job.')
    return { job: remoteTarget[1] ?? '', direction: 'up', sources, target: remoteTarget[2] || '.' }
  }
  if (jobs.size > 1) throw usage('All sources have to be in the same job, or all here.')
  if (job === undefined) throw usage('One side has to be in a job: JOB:PATH.')
  return { job, direction: 'down', sources: remoteSources.map((match) => match?.[2] || '.'), target }
}
