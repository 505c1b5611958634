import { constants } from 'node:os'
import { listenForRealtimeSignals } from './realtime-signals.js'

/** What ends a server, or tells a job something; caught first thing. */
const USUAL = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/**
 * Not to be caught, by anybody or by us: faults would be repeated for ever, traps are how V8 ends a process, and a
 * child's end is told to who started it.
 */
const LEFT_ALONE: readonly string[] = [
  ...['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP'],
]

/** "Stack fault on coprocessor (unused)", signal(7): nobody sends it but we to ourselves. */
const MARK = constants.signals.SIGSTKFLT
/**
 * For who stands behind a wrapper: another is to be stopped with its job, and gets a SIGPIPE of its own when a client
 * has gone, which Node.js ignores.
 */
const BEHIND_WRAPPER: readonly string[] = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCONT', 'SIGPIPE']

export interface Signals {
  /** From now on signals go to this receiver, by number, those that came too early first. */
  deliverTo(receiver: (signal: number) => void): void
  /**
   * The same, but what comes before mark() is called goes nowhere, and of what comes before it is called again, the
   * receiver is told so. After catchOthers().
   */
  deliverAfterMark(receiver: (signal: number, between: boolean) => void): void
  mark(): void
  /** From now on also catches others, as a job may have a use for any. */
  catchOthers(options?: { behindWrapper: boolean }): void
}

/**
 * Catches signals instead of dying of them. To be called first thing: until SIGUSR1 has a listener, Node.js answers
 * it with opening its debugger's port.
 */
export function catchSignals(): Signals {
  const early: number[] = []
  let receive = (signal: number): void => {
    early.push(signal)
  }
  const caught = new Set<number>()
  const listen = (name: NodeJS.Signals): void => {
    const number = constants.signals[name]
    if (caught.has(number)) return // some have two names
    caught.add(number)
    process.on(name, () => receive(number))
  }
  for (const name of USUAL) listen(name)
  return {
    deliverTo(receiver) {
      receive = receiver
      for (const signal of early.splice(0)) receiver(signal)
    },
    deliverAfterMark(receiver) {
      const after = (signal: number): void => receiver(signal, false)
      const between = (signal: number): void => {
        if (signal === MARK) receive = after
        else receiver(signal, true)
      }
      receive = (signal) => {
        if (signal === MARK) receive = between
      }
    },
    mark() {
      // libuv tells of signals later than they come, but in that order.
      process.kill(process.pid, MARK)
    },
    catchOthers({ behindWrapper } = { behindWrapper: false }) {
      const left = behindWrapper ? LEFT_ALONE : [...LEFT_ALONE, ...BEHIND_WRAPPER]
      for (const name of Object.keys(constants.signals)) {
        if (isSignalName(name) && !left.includes(name)) listen(name)
      }
      listenForRealtimeSignals((signal) => receive(signal))
    },
  }
}

function isSignalName(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name)
}
