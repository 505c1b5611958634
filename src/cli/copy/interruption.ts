import { COPY_INTERRUPT_MS } from '../../core/limits.js'
import { dieBySignal } from '../ending/exit-status.js'

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** To be called once what the signal has ended is over: ends this process by it, if there was one. */
  finish(): void
}

/** The first signal ends what is going on, within COPY_INTERRUPT_MS; a second one, everything at once. */
export function catchInterruption(): Interruption {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (received !== undefined) dieBySignal(signal)
      received = signal
      controller.abort()
      setTimeout(() => dieBySignal(signal), COPY_INTERRUPT_MS).unref()
    })
  }
  return {
    signal: controller.signal,
    finish() {
      if (received !== undefined) dieBySignal(received)
    },
  }
}
