import type { ConnectOptions, JobConnection } from '../client/types.js'
import { SshjobError } from '../core/errors.js'
import { type Logger, silent } from '../core/log.js'
import { retry } from '../core/retry.js'
import type { JobAddress, OpenOptions } from './engine.js'
import { openFirst, type ResolvedJob } from './resolve-job.js'

export interface EnterOptions extends OpenOptions {
  /** How long to try while the job has not started, in milliseconds; 0: one try. */
  waitMs: number
  /** Gets each new reason to wait: a state of the job, mostly. */
  onWait: (reason: SshjobError) => void
  /** Those to use where the engine has exchanged none. */
  keys?: Pick<ConnectOptions, 'credentials' | 'username'>
}

/** A connection into a job, and where it leads. */
export interface EnteredJob {
  readonly connection: JobConnection
  /** Why its session failed: where the connection was lost, the engine knows whether that is because the job has ended. */
  explain(error: unknown): Promise<unknown>
}

/**
 * Connects to a job, trying again while that makes sense and there is time.
 * @throws SshjobError why the job can't be entered, in its engine's words; 'aborted'; what connect() throws
 */
export async function enterJob(job: ResolvedJob, options: EnterOptions): Promise<EnteredJob> {
  const { waitMs: forMs, onWait, signal, log = silent } = options
  const pauses = job.addresses.find((address) => address.retry !== undefined)?.retry
  return retry(() => enterOnce(job, { ...options, log }), { forMs, onWait, signal, ...pauses })
}

async function enterOnce(
  job: ResolvedJob,
  { waitMs, keys, signal, log, debug }: EnterOptions & { log: Logger },
): Promise<EnteredJob> {
  return openFirst(job, async (address, elsewhere) => {
    try {
      const opening = address.open({ signal, log, debug, elsewhere })
      // Programs are under way now: what SSH needs is loaded while we wait for them.
      const loading = address.isSlow ? loadClient() : undefined
      const { stream, ...ownKeys } = await opening
      const { connect } = await (loading ?? loadClient())
      const options = { log, ...keys, ...ownKeys, ...(signal === undefined ? {} : { signal }) }
      return { connection: await connect(stream, options), explain: (error) => explainEnd(address, error) }
    } catch (error) {
      if (!(error instanceof SshjobError)) throw error
      throw await address.explain(error, { signal, thorough: waitMs === 0 })
    }
  })
}

const loadClient = () => import('../client/connect.js')

async function explainEnd(address: JobAddress, error: unknown): Promise<unknown> {
  // What serves the session may say goodbye, or be ended before it can.
  const isOver =
    error instanceof SshjobError && (error.code === 'connection-lost' || error.code === 'connection-closed')
  return isOver ? address.explain(error, {}) : error
}
