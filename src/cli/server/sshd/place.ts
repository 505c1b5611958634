import { hostname } from 'node:os'
import { htcondorJob } from '../../../engines/htcondor/job.js'
import { readStarterEnvironment } from '../../../engines/htcondor/starter-environment.js'
import { defaultJobId } from '../../../engines/job-id.js'
import { makeJobEnvironment } from '../../../job/environment.js'
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
export function findPlace(): Place {
  const variables = readStarterEnvironment(startEnvironment)
  const htcondor = htcondorJob(variables)
  if (htcondor !== undefined) {
    const { isOutside, ...place } = htcondor
    return { ...place, isShut: isOutside }
  }
  const { command, pids } = describeSurroundings()
  const id = defaultJobId(hostname(), process.pid)
  const environment = makeJobEnvironment(variables)
  return {
    job: localJob({ id, command, pids: () => pids, environment }),
    replacesForcedCommand: () => false,
  }
}
