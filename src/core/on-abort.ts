import { abortError, type SshjobError } from './errors.js'

/**
 * Calls back once the signal aborts, at once where it has already.
 * @returns takes that back, which is due as soon as it is of no use any more: a signal may serve many calls, one by one
 */
export function onAbort(
  signal: AbortSignal | undefined,
  listener: (reason: SshjobError) => void,
): () => void {
  if (signal === undefined) return () => undefined
  const abort = (): void => listener(abortError(signal))
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}
