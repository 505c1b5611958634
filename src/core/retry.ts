import { setTimeout as delay } from 'node:timers/promises'
import { abortError, SshjobError } from './errors.js'
import { RETRY_INTERVAL_MS } from './limits.js'

export interface RetryOptions {
  /** How long to go on trying, in milliseconds; 0: one try. */
  forMs: number
  /** Between two tries, in milliseconds. Default: RETRY_INTERVAL_MS. */
  intervalMs?: number
  /** What it grows to. Default: it does not grow. */
  maxIntervalMs?: number
  /** Gets each new reason to wait. */
  onWait: (reason: SshjobError) => void
  signal?: AbortSignal | undefined
}

const GROWTH = 1.25

/**
 * Calls until it succeeds, fails for good, or the time is over; then the last error is thrown.
 * @throws SshjobError 'aborted', and what the attempt throws
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { forMs, intervalMs = RETRY_INTERVAL_MS, maxIntervalMs = intervalMs, onWait, signal }: RetryOptions,
): Promise<T> {
  const deadline = Date.now() + forMs
  let announced: string | undefined
  for (let pause = intervalMs; ; pause = Math.min(pause * GROWTH, maxIntervalMs)) {
    try {
      return await attempt()
    } catch (error) {
      const left = deadline - Date.now()
      if (!(error instanceof SshjobError && error.retry) || left <= 0) throw error
      if (announced !== error.message) onWait(error)
      announced = error.message
      await delay(Math.min(pause, left), undefined, signal === undefined ? {} : { signal }).catch(
        () => undefined,
      )
      if (signal?.aborted) throw abortError(signal)
    }
  }
}
