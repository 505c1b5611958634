import type { Duplex } from 'node:stream'
import {
  type Argument,
  abortSignal,
  callback,
  checkCall,
  checkedMethods,
  duplex,
  either,
  listOf,
  logger,
  milliseconds,
  name,
  objectWith,
  oneOf,
  optional,
  options as optionsOf,
  ourError,
  rejecting,
  required,
  text,
} from '../core/check-options.js'
import type { Job } from '../job/job.js'
import { FORWARDING_MODES, starterPermissions } from '../permissions/forwarding-options.js'
import { parseKey } from '../ssh/keys.js'
import { admitKeys } from './admission.js'
import type { Rules } from './rules.js'
import { ServedConnection } from './served-connection.js'
import type { Served, ServeOptions } from './types.js'

const SERVE_OPTIONS = optionsOf<ServeOptions>({
  credentials: optionsOf<NonNullable<ServeOptions['credentials']>>({
    hostPrivateKey: required(name),
    clientPublicKey: required(name),
  }),
  shells: listOf(name),
  idleTimeoutMs: milliseconds,
  motd: either('a string, a function or false', text, callback, oneOf(false)),
  peer: text,
  signal: abortSignal,
  log: logger,
  forwarding: oneOf(...FORWARDING_MODES),
  permitOpen: listOf(text),
  permitListen: listOf(text),
  files: objectWith('an object with the method open', 'open'),
})

const SERVE_CALL: readonly Argument[] = [
  ['stream', duplex],
  ['job', objectWith('a Job, as localJob() makes one', 'pids', 'terminalUnavailable', 'spawn')],
  optional('options', SERVE_OPTIONS),
]

/**
 * Serves one SSH connection, for one job, over one stream.
 *
 * The stream must be authenticated already: whoever can speak on it gets in. Unless `credentials` say otherwise, the
 * hello comes first, and both ends get fresh keys from it. Never throws for what a client does; the cause of the end
 * is what `closed` resolves with.
 * @throws SshjobError 'usage' for an option that is wrong
 */
export function serve(stream: Duplex, job: Job, options: ServeOptions = {}): Served {
  checkCall('serve', [stream, job, options], SERVE_CALL)
  // Throws for options that are wrong, before anything has begun.
  const rules: Rules = { permissions: [starterPermissions(options)] }
  const { credentials } = options
  if (credentials === undefined) return checked(new ServedConnection(stream, job, options, { hello: rules }))
  const { hostPrivateKey, clientPublicKey } = credentials
  const admission = () => admitKeys([parseKey(hostPrivateKey)], [parseKey(clientPublicKey)], rules)
  return checked(new ServedConnection(stream, job, options, { admission }))
}

function checked(served: Served): Served {
  return checkedMethods('served', served, { end: rejecting(['reason', ourError]) })
}
