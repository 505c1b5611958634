import type { Duplex } from 'node:stream'
import { abortError, SshjobError } from '../core/errors.js'
import { answerHello, type HelloOptions } from '../hello/exchange.js'
import type { Accepted } from '../hello/messages.js'
import type { Job } from '../job/job.js'
import { admitKeys } from '../server/admission.js'
import { serveAdmitted } from '../server/serve-admitted.js'
import type { ConnectionOptions, Served } from '../server/types.js'
import { parseIfKnown, parseKey } from '../ssh/keys.js'
import { BegunConnection } from './begun-connection.js'
import type { Handover } from './handover.js'

/** What a process adds to a handover of its own. */
export type HandoverOptions = Pick<ConnectionOptions, 'motd' | 'observer' | 'signal' | 'log'>

/**
 * Answers the hello of a client with whom this was agreed, and serves its connection. The answer is left to whoever
 * serves, and comes last: until then a client may send nothing, so that the stream can go to another process as it is.
 */
export function serveHandover(
  stream: Duplex,
  job: Job,
  handover: Handover,
  options: HandoverOptions = {},
): Served {
  const { signal: _, ...rest } = options
  return new BegunConnection(stream, options, (hello) => answerAndServe(stream, job, handover, hello, rest))
}

/** @throws SshjobError what the client is to be refused with */
export async function answerAndServe(
  stream: Duplex,
  job: Job,
  handover: Handover,
  hello: HelloOptions,
  options: Omit<HandoverOptions, 'signal'>,
): Promise<Served> {
  const [hostKey, ...more] = handover.hostKeys.map(({ publicKey }) => publicKey)
  if (hostKey === undefined) throw new SshjobError('internal', 'There is no host key for this session.')
  const answer: Accepted = {
    ok: true,
    job: handover.job,
    hostKey,
    // To those alone who have said that they understand more than one.
    ...(more.length === 0 ? {} : { moreHostKeys: more }),
  }
  refuseMore(stream)
  await answerHello(stream, answer, hello)
  if (hello.signal?.aborted) throw abortError(hello.signal)
  // After the answer, while the client makes what it needs.
  const hostKeys = handover.hostKeys.map(({ privateKey }) => parseKey(privateKey))
  // A newer client may have a key of a kind that nobody knew when this was written, besides one that is known.
  const clientKeys = handover.clientKeys.map(parseIfKnown).filter((key) => key !== undefined)
  const admission = admitKeys(hostKeys, clientKeys, handover.rules)
  return serveAdmitted(stream, job, admission, { ...handover.settings, ...options })
}

/**
 * What a client sends between its hello and the answer would be lost where another process serves it.
 * @throws SshjobError 'hello-invalid'
 */
export function refuseMore(stream: Duplex): void {
  if (stream.readableLength === 0) return
  throw new SshjobError(
    'hello-invalid',
    'The client sent more than its hello before it was answered: it has to wait for the answer.',
  )
}
