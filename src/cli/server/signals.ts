/** What is handed on to the job. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

export type CaughtSignal = (typeof SIGNALS)[number]

export interface Signals {
  /** From now on signals go to this receiver, those that came too early first. */
  deliverTo(receiver: (signal: CaughtSignal) => void): void
}

/**
 * Catches signals instead of dying of them. To be called first thing: until SIGUSR1 has a listener, Node.js answers
 * it with opening its debugger's port.
 */
export function catchSignals(): Signals {
  const early: CaughtSignal[] = []
  let receive = (signal: CaughtSignal): void => {
    early.push(signal)
  }
  for (const signal of SIGNALS) process.on(signal, () => receive(signal))
  return {
    deliverTo(receiver) {
      receive = receiver
      for (const signal of early.splice(0)) receiver(signal)
    },
  }
}
