import {
  type Check,
  count,
  either,
  flag,
  integer,
  listOf,
  milliseconds,
  name,
  oneOf,
  options as optionsOf,
  required,
  text,
  valuesOf,
} from '../core/check-options.js'
import { SshjobError } from '../core/errors.js'
import type { ClientHello, JobInfo } from '../hello/messages.js'
import type { Job } from '../job/job.js'
import { PERMISSIONS } from '../permissions/check.js'
import type { Rules } from '../server/rules.js'
import type { ConnectionSettings } from '../server/types.js'
import { generateEcdsaKey, generateKey, type KeyPair, parseIfKnown } from '../ssh/keys.js'
import { describeJob } from './describe-job.js'

/**
 * What was agreed with a client that has said its hello and waits for the answer. Plain data: it can be served in this
 * process, or go to a worker as JSON on a descriptor. It holds the session's private keys, and goes nowhere else.
 */
export interface Handover {
  job: JobInfo
  /** Of this session alone, best first. */
  hostKeys: readonly KeyPair[]
  /** The public keys that get in: 'ssh-ed25519 AAAA…'. Those of kinds that are not known here, nobody can use. */
  clientKeys: readonly string[]
  rules: Rules
  settings: ConnectionSettings
}

/**
 * The handover for a client that has named its keys, with fresh host keys.
 * @throws SshjobError 'hello-invalid' where its first key is none
 */
export function makeHandover(
  hello: ClientHello,
  { job, rules, settings }: { job: Job; rules: Rules; settings: ConnectionSettings },
): Handover {
  const { publicKey = '', morePublicKeys: more } = hello
  if (parseIfKnown(publicKey) === undefined)
    throw new SshjobError('hello-invalid', 'The key in the hello is not one that SSH knows.')
  return {
    job: describeJob(job),
    hostKeys: [generateKey(), ...(more === undefined ? [] : [generateEcdsaKey()])],
    clientKeys: [publicKey, ...(more ?? [])],
    rules,
    settings,
  }
}

/** A handover as it came from another process of ours. @throws SshjobError 'usage' */
export function parseHandover(json: string): Handover {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    // The error of JSON.parse() may show some of the text, which holds keys.
    throw new SshjobError('usage', 'The handover is not valid JSON.')
  }
  if (isHandover(value)) return value
  throw new SshjobError('usage', `This is no handover: ${HANDOVER(value, 'handover')}.`)
}

function isHandover(value: unknown): value is Handover {
  return HANDOVER(value, 'handover') === undefined
}

const filled =
  (entry: Check): Check =>
  (value, list) =>
    listOf(entry)(value, list) ??
    (Array.isArray(value) && value.length === 0 ? `${list} is empty` : undefined)

const SUBSYSTEM = either(
  'our server of files or a command',
  optionsOf<{ kind: 'files'; directory?: string }>({ kind: required(oneOf('files')), directory: name }),
  optionsOf<{ kind: 'command'; command: string }>({
    kind: required(oneOf('command')),
    command: required(text),
  }),
)

const RULES = optionsOf<Rules>({
  permissions: required(filled(PERMISSIONS)),
  forced: SUBSYSTEM,
  environment: valuesOf(text),
  acceptedVariables: listOf(text),
  subsystems: valuesOf(SUBSYSTEM),
  maxSessions: count,
  keepAlive: optionsOf<NonNullable<Rules['keepAlive']>>({
    intervalMs: required(milliseconds),
    countMax: required(count),
  }),
  unusedMs: milliseconds,
  authenticationInfo: flag,
  rekey: optionsOf<NonNullable<Rules['rekey']>>({ bytes: required(count), ms: required(milliseconds) }),
  gatewayPorts: oneOf('no', 'yes', 'clientspecified'),
  replacesSockets: flag,
  displays: optionsOf<NonNullable<Rules['displays']>>({
    offset: required(integer(0, 65_535)),
    localhost: required(flag),
  }),
})

const HANDOVER = optionsOf<Handover>({
  job: required(
    optionsOf<JobInfo>({
      id: required(text),
      host: required(text),
      pids: required(listOf(count)),
      user: required(text),
      since: required(text),
      command: required(listOf(text)),
    }),
  ),
  hostKeys: required(filled(optionsOf<KeyPair>({ privateKey: required(name), publicKey: required(name) }))),
  clientKeys: required(filled(name)),
  rules: required(RULES),
  settings: required(
    optionsOf<ConnectionSettings>({
      shells: listOf(name),
      idleTimeoutMs: milliseconds,
      motd: either('a string or false', text, oneOf(false)),
      peer: text,
    }),
  ),
})
