import { hostname } from 'node:os'
import type { JobInfo } from '../hello/messages.js'
import type { Job } from '../job/job.js'

/** What a client is told of a job. */
export function describeJob(job: Job): JobInfo {
  return {
    id: job.id,
    host: hostname(),
    pids: [...job.pids()],
    user: job.user,
    since: job.since.toISOString(),
    command: [...job.command],
  }
}
