import { SshjobError } from '../core/errors.js'
import type { EngineOptions, ExplainOptions, OpenedJob } from './engine.js'
import { type EngineAddress, plainAddress, prefixedAddress } from './engines.js'
import { openJob } from './local.js'

/** A way into a job, and the engine's address of it; absent for a job of a starter on this machine. */
export interface FoundJob extends OpenedJob {
  address?: EngineAddress
}

/**
 * Opens the way into a job by any of its names: 'train' is a job of this user on this machine, 'htcondor:1138.0' one of
 * HTCondor, and '1138.0' the former if there is such a job, else the latter.
 * @throws SshjobError as openJob() of ./local.js, and 'job-held', 'job-ended', 'job-not-started', 'denied', … for jobs
 *   of engines
 */
export async function openAnyJob(name: string, options: ExplainOptions = {}): Promise<FoundJob> {
  return (await findJob(name, options))()
}

/**
 * The first half of openAnyJob(), which is over at once. The second one begins when what is given is called, and an
 * engine may take its time for that, in processes of its own.
 * @throws SshjobError as openJob() of ./local.js
 */
export async function findJob(name: string, options: ExplainOptions = {}): Promise<() => Promise<FoundJob>> {
  const address = prefixedAddress(name) ?? queueAddress(name, options)
  if (address !== undefined) return () => openAt(address, options)
  try {
    const stream = await openJob(name, options.signal === undefined ? {} : { signal: options.signal })
    return () => Promise.resolve({ stream })
  } catch (error) {
    const other = plainAddress(name)
    if (other === undefined || !(error instanceof SshjobError) || error.code !== 'job-not-found') throw error
    return () => openAt(other, options)
  }
}

/** Whoever names a queue means the job there, and none of this machine's. */
function queueAddress(name: string, { htcondor }: EngineOptions): EngineAddress | undefined {
  if (htcondor?.name === undefined && htcondor?.pool === undefined) return undefined
  const address = plainAddress(name)
  if (address?.engine.name === 'htcondor') return address
  throw new SshjobError('usage', `A schedd or a pool of HTCondor has no job '${name}': they have numbers.`)
}

async function openAt(address: EngineAddress, options: ExplainOptions): Promise<FoundJob> {
  const { engine, id } = address
  try {
    return { address, ...(await engine.open(id, options)) }
  } catch (error) {
    throw error instanceof SshjobError ? await engine.explain(id, error, options) : error
  }
}
