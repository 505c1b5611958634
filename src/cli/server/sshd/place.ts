import { hostname } from 'node:os'
import { htcondorJob } from '../../../engines/htcondor/job.js'
import { defaultJobId } from '../../../engines/job-id.js'
import { makeJobEnvironment } from '../../../job/environment.js'
import type { Job } from '../../../job/job.js'
import { localJob } from '../../../job/local-job.js'
import { startEnvironment } from '../start-environment.js'
import { describeSurroundings } from '../surroundings.js'

/** Where the sessions of an inetd-style call are, and what of that place is different from any other. */
export interface Place {
  job: Job
  /** What an interactive shell is greeted with. Default: nothing, as with sshd. */
  greeting?: () => string
  /** Whether a forced command is the engine's own way into this job, so that it need not be run. */
  replacesForcedCommand(command: string): boolean
  /** Lines of the configuration that count before all others. Default: none. */
  settings?: readonly string[]
}

/** The job of the engine that started this process, where one is recognised; else what this process sits in. */
export function findPlace(): Place {
  const variables = startEnvironment()
  const htcondor = htcondorJob(variables)
  if (htcondor !== undefined) return htcondor
  const { command, pids } = describeSurroundings()
  const id = defaultJobId(hostname(), process.pid)
  const environment = makeJobEnvironment(variables)
  return {
    job: localJob({ id, command, pids: () => pids, environment }),
    replacesForcedCommand: () => false,
  }
}
