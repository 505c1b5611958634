import type { Duplex } from 'node:stream'
import type { Job } from '../job/job.js'
import type { Admission } from './admission.js'
import { ServedConnection } from './served-connection.js'
import type { ConnectionOptions, Served } from './types.js'

/**
 * Serves one SSH connection, for one job, over one stream on which SSH begins now: who is let in, and what they may do,
 * is the admission's to say. Never throws for what a client does; the cause of the end is what `closed` resolves with.
 */
export function serveAdmitted(
  stream: Duplex,
  job: Job,
  admission: Admission,
  options: ConnectionOptions,
): Served {
  return new ServedConnection(stream, job, admission, options)
}
