import { connect } from '../client/connect.js'
import type { ConnectOptions, JobConnection } from '../client/types.js'
import { openJob } from './local.js'

/**
 * Opens a connection into a job of this user on this machine, by the id that `sshjob ls` shows.
 *
 * @throws SshjobError 'job-not-found', 'job-ended', 'unreachable', 'busy', and what connect() throws
 */
export async function connectToJob(id: string, options: ConnectOptions = {}): Promise<JobConnection> {
  const stream = await openJob(id, options.signal === undefined ? {} : { signal: options.signal })
  return connect(stream, options)
}
