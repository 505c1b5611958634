import { CONNECT_OPTIONS } from '../client/check-calls.js'
import type { ConnectOptions, JobConnection } from '../client/types.js'
import {
  type Argument,
  callback,
  checkCall,
  either,
  flag,
  milliseconds,
  name,
  oneOf,
  optional,
  options as optionsOf,
} from '../core/check-options.js'
import type { SshjobError } from '../core/errors.js'
import type { EngineSettings } from './engines.js'
import { enterJob } from './enter-job.js'
import { resolveJob } from './resolve-job.js'
import { SETTINGS_CHECKS } from './settings-checks.js'

export interface ConnectToJobOptions extends ConnectOptions, EngineSettings {
  /** How long to try while the job has not started, in milliseconds; Infinity: for ever. Default: 0, one try. */
  waitMs?: number
  /** Gets each new reason to wait: 'job-not-started' with the job's state, or that there is no such job yet. */
  onWait?: (reason: SshjobError) => void
  /** Whether programs of an engine say on our stderr all that they do. Default: false. */
  debug?: boolean
}

const CONNECT_TO_JOB_CALL: readonly Argument[] = [
  ['id', name],
  optional(
    'options',
    optionsOf<Record<string, unknown>>({
      ...CONNECT_OPTIONS,
      waitMs: either('a number of milliseconds, or Infinity', oneOf(Number.POSITIVE_INFINITY), milliseconds),
      onWait: callback,
      debug: flag,
      ...SETTINGS_CHECKS,
    }),
  ),
]

/**
 * Opens a connection into a job of this user: on this machine by the id that `sshjob ls` shows, or a job of an engine
 * by its id there, 'htcondor:1138.0' (or '1138.0', if no job here is called that).
 *
 * @throws SshjobError why the job can't be entered: 'job-not-found', 'job-not-started', 'job-held', 'job-ended',
 *   'unreachable', 'denied', 'busy'; 'usage' for a name or a setting that its engine has not, 'program-missing' without
 *   the engine's programs, 'aborted', and what connect() throws
 */
export async function connectToJob(id: string, options: ConnectToJobOptions = {}): Promise<JobConnection> {
  checkCall('connectToJob', [id, options], CONNECT_TO_JOB_CALL)
  const {
    signal,
    log,
    credentials,
    username,
    waitMs = 0,
    onWait = () => undefined,
    debug,
    ...settings
  } = options
  const keys = {
    ...(credentials === undefined ? {} : { credentials }),
    ...(username === undefined ? {} : { username }),
  }
  const { connection } = await enterJob(resolveJob(id, settings), {
    signal,
    log,
    waitMs,
    onWait,
    debug,
    keys,
  })
  return connection
}
