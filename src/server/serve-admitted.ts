import type { Duplex } from 'node:stream'
import type { Job } from '../job/job.js'
import type { ForwardingOptions } from '../permissions/forwarding-options.js'
import type { Admission } from './admission.js'
import { ServedConnection } from './served-connection.js'
import type { Served, ServeOptions } from './types.js'

/** What of ServeOptions is not about who is let in and what they may do. */
export type ConnectionOptions = Omit<ServeOptions, 'credentials' | keyof ForwardingOptions>

/** As serve(), without a hello: who is let in, and what they may do, is the admission's to say. */
export function serveAdmitted(
  stream: Duplex,
  job: Job,
  admission: Admission,
  options: ConnectionOptions,
): Served {
  return new ServedConnection(stream, job, options, { admission: () => admission })
}
