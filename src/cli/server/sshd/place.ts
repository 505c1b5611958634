import { hostname } from 'node:os'
import { findServed } from '../../../engines/enclosing-job.js'
import { defaultJobId } from '../../../engines/local/job-id.js'
import { type Environment, makeJobEnvironment } from '../../../job/environment.js'
import type { Job } from '../../../job/job.js'
import { localJob } from '../../../job/local-job.js'
import type { PlaceRules } from '../../../sshd/rules.js'
import { startEnvironment } from '../start-environment.js'
import { describeSurroundings } from '../surroundings.js'

/** Where the sessions of an inetd-style call are, and what of that place is different from any other. */
export interface Place extends PlaceRules {
  job: Job
  /** What an interactive shell is greeted with. Default: nothing, as with sshd. */
  greeting?: () => string
  /**
   * Whether the job may have written the configuration, and may read the log, while it is not to learn anything of what
   * is here. Default: no.
   */
  isShut?: boolean
}

/** The job of the engine that started this process, where one is recognised; else what this process sits in. */
export async function findPlace(): Promise<Place> {
  let read: Environment | undefined
  const variables = (): Environment => {
    read ??= startEnvironment()
    return read
  }
  const served = await findServed(variables)
  if (served !== undefined) {
    const { isOutside, ...place } = served
    return { ...place, isShut: isOutside }
  }
  const { command, pids } = describeSurroundings()
  const id = defaultJobId(hostname(), process.pid)
  const environment = makeJobEnvironment(variables())
  return {
    job: localJob({ id, command, pids: () => pids, environment }),
    replacesForcedCommand: () => false,
  }
}
