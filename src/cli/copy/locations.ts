import { isPrefixed } from '../../engines/resolve-job.js'
import { usage } from '../arguments/options.js'

export interface CopyRequest {
  job: string
  direction: 'up' | 'down'
  sources: Buffer[]
  target: Buffer
}

/**
 * The job and the path of JOB:PATH; undefined for what is here. As scp(1): what has a colon before its first slash is in
 * a job; './a:b' is here. The job of an engine may have the engine's name before it: 'htcondor:1138.0:out.txt'. One
 * character is one byte.
 */
export function splitPlace(text: string): { job: string; path: string } | undefined {
  const [, prefix = '', id = '', ofEngine = ''] = /^([^/:]+):([^/:]+):(.*)$/s.exec(text) ?? []
  if (isPrefixed(prefix, id)) return { job: `${prefix}:${id}`, path: ofEngine }
  const [, job, path = ''] = /^([^/:]+):(.*)$/s.exec(text) ?? []
  return job === undefined ? undefined : { job, path }
}

interface Location {
  /** Undefined: here. */
  job: string | undefined
  path: Buffer
}

/**
 * Understands SRC… DST.
 * @throws SshjobError 'usage' unless exactly one side is in one job
 */
export function parseLocations(operands: readonly Buffer[]): CopyRequest {
  const locations = operands.map(parseLocation)
  const target = locations.pop()
  if (target === undefined || locations.length === 0)
    throw usage("'sshjob cp' takes SRC... and DST, one side as JOB:PATH.")
  const sources = locations.map(({ path }) => path)
  const jobs = new Set(locations.map(({ job }) => job))
  const [job] = jobs
  if (target.job !== undefined) {
    if (jobs.size > 1 || job !== undefined) throw usage('Only one side can be in a job.')
    return { job: target.job, direction: 'up', sources, target: target.path }
  }
  if (jobs.size > 1) throw usage('All sources have to be in the same job, or all here.')
  if (job === undefined) throw usage('One side has to be in a job: JOB:PATH.')
  return { job, direction: 'down', sources, target: target.path }
}

function parseLocation(operand: Buffer): Location {
  const place = splitPlace(operand.toString('latin1'))
  if (place === undefined) return { job: undefined, path: operand }
  const { job, path } = place
  return { job: Buffer.from(job, 'latin1').toString('utf8'), path: Buffer.from(path || '.', 'latin1') }
}
