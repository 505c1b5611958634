import { type ErrorCode, SshjobError } from '../core/errors.js'
import { HELLO_KEYS_MAX } from '../core/limits.js'
import { printable } from '../core/printable.js'
import type { Accepted, ClientHello, JobInfo, ServerHello } from './messages.js'

/** Complete, because the compiler asks for every code: what a refusal on the wire may name. */
const CODES: Record<ErrorCode, true> = {
  usage: true,
  'job-not-found': true,
  'job-not-started': true,
  'job-held': true,
  'job-ended': true,
  'job-exists': true,
  'job-failed-to-start': true,
  unreachable: true,
  busy: true,
  denied: true,
  'hello-invalid': true,
  'hello-timeout': true,
  'authentication-failed': true,
  'host-key-mismatch': true,
  'protocol-error': true,
  'connection-lost': true,
  'connection-closed': true,
  'idle-timeout': true,
  'channel-refused': true,
  'request-refused': true,
  'no-terminal': true,
  'no-display': true,
  'no-shell': true,
  'spawn-failed': true,
  'output-limit': true,
  aborted: true,
  'unsafe-directory': true,
  'program-missing': true,
  'no-such-file': true,
  'permission-denied': true,
  'file-failed': true,
  'not-answering': true,
  internal: true,
}

/** A public key in OpenSSH's format, without a comment: one type, one blob, nothing that could start a new line. */
const KEY = /^[a-z0-9@.-]{1,64} [A-Za-z0-9+/]{1,8192}={0,2}$/

type Fields = Readonly<Record<string, unknown>>

/** Unknown fields are ignored: a newer peer may send more. @throws SshjobError 'hello-invalid' */
export function validateClientHello(value: unknown): ClientHello {
  const fields = asFields(value, 'hello')
  const hello: ClientHello = {}
  const publicKey = optional(fields, 'publicKey')
  if (publicKey !== undefined) hello.publicKey = asKey(publicKey, 'publicKey')
  const more = optional(fields, 'morePublicKeys')
  if (more !== undefined) hello.morePublicKeys = asKeys(more, 'morePublicKeys')
  const capability = optional(fields, 'capability')
  if (capability !== undefined) hello.capability = asString(capability, 'capability')
  return hello
}

/**
 * What a person will read in it is made printable: a job, or a server, must not write escape sequences to a terminal.
 * @throws SshjobError 'hello-invalid'
 */
export function validateServerHello(value: unknown): ServerHello {
  const fields = asFields(value, 'hello')
  const ok = optional(fields, 'ok')
  if (ok === false) {
    return {
      ok,
      code: asCode(optional(fields, 'code')),
      message: printable(asString(optional(fields, 'message'), 'message')),
      retry: asBoolean(optional(fields, 'retry'), 'retry'),
    }
  }
  if (ok !== true) throw invalid('ok')
  const accepted: Accepted = { ok, job: asJobInfo(optional(fields, 'job')) }
  const hostKey = optional(fields, 'hostKey')
  if (hostKey !== undefined) accepted.hostKey = asKey(hostKey, 'hostKey')
  const more = optional(fields, 'moreHostKeys')
  if (more !== undefined) accepted.moreHostKeys = asKeys(more, 'moreHostKeys')
  return accepted
}

function asJobInfo(value: unknown): JobInfo {
  const fields = asFields(value, 'job')
  const since = asString(optional(fields, 'since'), 'job.since')
  if (Number.isNaN(Date.parse(since))) throw invalid('job.since')
  return {
    id: printable(asString(optional(fields, 'id'), 'job.id')),
    host: printable(asString(optional(fields, 'host'), 'job.host')),
    pids: asList(optional(fields, 'pids'), 'job.pids').map((pid) => asPid(pid)),
    user: printable(asString(optional(fields, 'user'), 'job.user')),
    since: printable(since),
    command: asList(optional(fields, 'command'), 'job.command').map((word) =>
      printable(asString(word, 'job.command')),
    ),
  }
}

/** Own properties only: a field that is not there must not be found on Object.prototype. */
function optional(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asFields(value: unknown, name: string): Fields {
  if (!isFields(value)) throw invalid(name)
  return value
}

function asString(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalid(name)
  return value
}

function asBoolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalid(name)
  return value
}

function asList(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(name)
  return value
}

function asPid(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid('job.pids')
  return value
}

function asKey(value: unknown, name: string): string {
  const key = asString(value, name)
  if (!KEY.test(key)) throw invalid(name)
  return key
}

function asKeys(value: unknown, name: string): string[] {
  const keys = asList(value, name)
  if (keys.length > HELLO_KEYS_MAX) throw invalid(name)
  return keys.map((key) => asKey(key, name))
}

/** A code that a newer server knows and we don't is still a refusal. */
function asCode(value: unknown): ErrorCode {
  const code = asString(value, 'code')
  return isErrorCode(code) ? code : 'denied'
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CODES, code)
}

function invalid(name: string): SshjobError {
  return new SshjobError(
    'hello-invalid',
    `The other side's hello is not valid: '${name}' is missing or wrong.`,
  )
}
