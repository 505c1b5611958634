import type { Duplex } from 'node:stream'
import type { Job } from '../job/job.js'
import { parseKey } from '../ssh/keys.js'
import { admitKeys } from './admission.js'
import { makePolicy } from './forwarding/policy.js'
import { ServedConnection } from './served-connection.js'
import type { Served, ServeOptions } from './types.js'

/**
 * Serves one SSH connection, for one job, over one stream.
 *
 * The stream must be authenticated already: whoever can speak on it gets in. Unless `credentials` say otherwise, the
 * hello comes first, and both ends get fresh keys from it. Never throws for what a client does; the cause of the end
 * is what `closed` resolves with.
 * @throws SshjobError 'usage' for an option that is wrong
 */
export function serve(stream: Duplex, job: Job, options: ServeOptions = {}): Served {
  const forwarding = makePolicy(options) // throws for options that are wrong, before anything has begun
  const { credentials } = options
  if (credentials === undefined) return new ServedConnection(stream, job, options, { hello: forwarding })
  const { hostPrivateKey, clientPublicKey } = credentials
  const admission = () => admitKeys([parseKey(hostPrivateKey)], [parseKey(clientPublicKey)], forwarding)
  return new ServedConnection(stream, job, options, { admission })
}
