import { dieBySignal } from './exit-status.js'

/** Handed on to a remote process that has no terminal, as a command here would get them. */
const FORWARDED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']
/** Whose second one ends this program whatever the remote process does. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT']
/** End a session in a terminal. Ctrl-C is not among them: in raw mode it is a key like any other. */
const FATAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']

/** What has been handed on so far. */
export interface SignalForwarding {
  /** The last signal that asks for an end, if one came. */
  readonly ending: () => NodeJS.Signals | undefined
}

/**
 * Hands our signals on. SIGHUP is left out: it ends us, and the server hangs up on the remote process.
 * @param send gets the name without SIG
 */
export function forwardSignals(send: (name: string) => void): SignalForwarding {
  let ending: NodeJS.Signals | undefined
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (ENDING.includes(signal)) {
        if (ending !== undefined) {
          for (const tidy of tidies) tidy()
          dieBySignal(signal)
        }
        ending = signal
      }
      send(signal.slice('SIG'.length))
    })
  }
  return { ending: () => ending }
}

const tidies: (() => void)[] = []

/** Something to do when a signal that was not handed on ends us. */
export function atFatalSignal(tidy: () => void): void {
  tidies.push(tidy)
}

/** Tidies up before a signal ends us. */
export function beforeFatalSignal(tidy: () => void): void {
  for (const signal of FATAL) {
    process.on(signal, () => {
      for (const other of tidies) other()
      tidy()
      dieBySignal(signal)
    })
  }
}
