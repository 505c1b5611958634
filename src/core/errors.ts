import { systemSentence } from './system-error.js'

export { sentenceOfCode, systemCode } from './system-error.js'

/**
 * Stable codes of everything that can go wrong. They are part of the public API and of the hello on the wire:
 * programs compare them, sentences are for people.
 */
export type ErrorCode =
  | 'usage' // an argument or option is wrong
  | 'job-not-found' // no such job here
  | 'job-not-started' // known, but not running yet: trying again makes sense
  | 'job-held' // its engine keeps it from running until somebody releases it
  | 'job-ended' // it ran, and is over
  | 'job-exists' // a starter already serves a job of this name
  | 'job-failed-to-start' // the command could not be started
  | 'unreachable' // the starter's socket exists and nobody answers
  | 'busy' // a limit on connections is reached: trying again makes sense
  | 'denied' // the server does not let this client in
  | 'hello-invalid' // the other side does not speak the hello, or not this version of it
  | 'hello-timeout'
  | 'authentication-failed'
  | 'host-key-mismatch'
  | 'protocol-error' // the other side breaks the SSH protocol
  | 'connection-lost' // the stream ended or failed in the middle
  | 'connection-closed' // closed on purpose, by either side
  | 'idle-timeout'
  | 'channel-refused'
  | 'request-refused'
  | 'no-terminal' // no pseudo-terminal can be opened
  | 'no-display' // a display of X11 gives no access of the kind that was asked for
  | 'no-shell' // no usable shell
  | 'spawn-failed'
  | 'output-limit' // collected output is larger than the stated limit
  | 'aborted' // by the caller's AbortSignal
  | 'unsafe-directory' // the runtime directory is not private to the user
  | 'program-missing'
  | 'no-such-file'
  | 'permission-denied' // by the file system
  | 'file-failed' // any other failure of a file operation: the disk is full, a folder is not empty, …
  | 'not-answering' // a file system that was asked says nothing
  | 'internal'

export interface SshjobErrorOptions {
  cause?: unknown
  /** Whether the same call may succeed later without anything being changed. Default: false. */
  retry?: boolean
}

/** The one error class of this project: a stable `code`, a sentence for a person, and the `cause`. */
export class SshjobError extends Error {
  override readonly name = 'SshjobError'
  readonly code: ErrorCode
  readonly retry: boolean

  constructor(code: ErrorCode, message: string, options: SshjobErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retry = options.retry ?? false
  }
}

/** What a person should read of anything that was thrown: of a system error the kernel's sentence, never its code alone. */
export function messageOf(error: unknown): string {
  return systemSentence(error) ?? (error instanceof Error ? error.message : String(error))
}

/** The same of what nobody expected: with what the system was asked for, too. */
export function describeUnexpected(error: unknown): string {
  const sentence = systemSentence(error)
  if (sentence === undefined || typeof error !== 'object' || error === null) return messageOf(error)
  const call = 'syscall' in error ? [error.syscall] : []
  const what = 'path' in error ? [error.path] : 'address' in error ? [error.address] : []
  const asked = [...call, ...what].join(' ')
  return asked === '' ? sentence : `${asked}: ${sentence}`
}

/** Anything that was thrown, as an error of ours: 'internal' where it is none. */
export function asSshjobError(error: unknown): SshjobError {
  return error instanceof SshjobError
    ? error
    : new SshjobError('internal', messageOf(error), { cause: error })
}

/** Anything that was thrown, for those who take errors only. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new SshjobError('internal', messageOf(error), { cause: error })
}

/** The text with exactly one full stop at its end: sentences of others go into ours. */
export function endSentence(text: string): string {
  return `${text.trimEnd().replace(/\.+$/, '')}.`
}

/** The first line that says something, or undefined: what programs write on stderr goes into our sentences. */
export function firstLine(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '')
}

/** The reason of an aborted signal as our error, the caller's own error as its cause. */
export function abortError(signal: AbortSignal): SshjobError {
  if (signal.reason instanceof SshjobError) return signal.reason
  return new SshjobError('aborted', 'The operation was aborted.', { cause: signal.reason })
}
