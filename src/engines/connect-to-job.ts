import { CONNECT_OPTIONS } from '../client/check-calls.js'
import { connect } from '../client/connect.js'
import type { ConnectOptions, JobConnection } from '../client/types.js'
import {
  type Argument,
  checkCall,
  flag,
  name,
  optional,
  options as optionsOf,
} from '../core/check-options.js'
import type { HtcondorOptions } from './engine.js'
import { openAnyJob } from './open-job.js'

export interface ConnectToJobOptions extends ConnectOptions {
  /** For jobs of HTCondor: where to look for them, and what to run in them. */
  htcondor?: HtcondorOptions
}

const CONNECT_TO_JOB_CALL: readonly Argument[] = [
  ['id', name],
  optional(
    'options',
    optionsOf<ConnectToJobOptions>({
      ...CONNECT_OPTIONS,
      htcondor: optionsOf<HtcondorOptions>({ name, pool: name, shells: name, debug: flag }),
    }),
  ),
]

/**
 * Opens a connection into a job of this user: on this machine by the id that `sshjob ls` shows, or a job of HTCondor
 * by its id there, 'htcondor:1138.0' (or '1138.0', if no job here is called that).
 *
 * @throws SshjobError 'job-not-found', 'job-not-started', 'job-held', 'job-ended', 'unreachable', 'denied', 'busy',
 *   'usage' for a parallel job of HTCondor's without one of its nodes, 'program-missing' without HTCondor's programs, and
 *   what connect() throws
 */
export async function connectToJob(id: string, options: ConnectToJobOptions = {}): Promise<JobConnection> {
  checkCall('connectToJob', [id, options], CONNECT_TO_JOB_CALL)
  const { htcondor, ...others } = options
  const { signal, log } = options
  const { stream, credentials, username } = await openAnyJob(id, { htcondor, signal, log, thorough: true })
  return connect(stream, {
    ...others,
    ...(credentials === undefined ? {} : { credentials }),
    ...(username === undefined ? {} : { username }),
  })
}
