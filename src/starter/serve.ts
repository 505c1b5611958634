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
import { type HelloOptions, receiveClientHello } from '../hello/exchange.js'
import type { Job } from '../job/job.js'
import {
  FORWARDING_MODES,
  type ForwardingOptions,
  starterPermissions,
} from '../permissions/forwarding-options.js'
import { admitKeys } from '../server/admission.js'
import type { Rules } from '../server/rules.js'
import { serveAdmitted } from '../server/serve-admitted.js'
import type { ConnectionOptions, Served } from '../server/types.js'
import { parseKey } from '../ssh/keys.js'
import { type Begin, BegunConnection } from './begun-connection.js'
import { makeHandover } from './handover.js'
import { answerQuestion } from './question.js'
import { answerAndServe, refuseMore } from './serve-handover.js'

export interface ServeOptions extends ConnectionOptions, ForwardingOptions {
  /** The keys of both ends in OpenSSH's formats, on paths where they were exchanged already. Default: fresh ones,
   *  exchanged by the hello. */
  credentials?: { hostPrivateKey: string; clientPublicKey: string }
}

const SERVE_OPTIONS = optionsOf<ServeOptions>({
  credentials: optionsOf<NonNullable<ServeOptions['credentials']>>({
    hostPrivateKey: required(name),
    clientPublicKey: required(name),
  }),
  shells: listOf(name),
  idleTimeoutMs: milliseconds,
  motd: either('a string, a function or false', text, callback, oneOf(false)),
  peer: text,
  observer: callback,
  signal: abortSignal,
  log: logger,
  forwarding: oneOf(...FORWARDING_MODES),
  permitOpen: listOf(text),
  permitListen: listOf(text),
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
  const { credentials, signal: _, forwarding, permitOpen, permitListen, ...connection } = options
  // Throws for options that are wrong, before anything has begun.
  const rules: Rules = { permissions: [starterPermissions(options)] }
  const begin: Begin =
    credentials === undefined
      ? (hello) => greet(stream, job, rules, hello, connection)
      : async () => {
          const { hostPrivateKey, clientPublicKey } = credentials
          const admission = admitKeys([parseKey(hostPrivateKey)], [parseKey(clientPublicKey)], rules)
          return serveAdmitted(stream, job, admission, connection)
        }
  return checked(new BegunConnection(stream, options, begin))
}

async function greet(
  stream: Duplex,
  job: Job,
  rules: Rules,
  waiting: HelloOptions,
  options: Omit<ConnectionOptions, 'signal'>,
): Promise<Served | undefined> {
  const hello = await receiveClientHello(stream, waiting)
  refuseMore(stream)
  if (hello.publicKey === undefined) {
    await answerQuestion(stream, job, waiting)
    return undefined
  }
  const handover = makeHandover(hello, { job, rules, settings: {} })
  return answerAndServe(stream, job, handover, waiting, options)
}

function checked(served: Served): Served {
  return checkedMethods('served', served, { end: rejecting(['reason', ourError]) })
}
