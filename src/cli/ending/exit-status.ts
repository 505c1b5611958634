import type { RemoteEnd } from '../../client/types.js'
import { signalStatus } from '../../process/signals.js'
import { printable } from '../output/report.js'

/** The status to exit with after a remote process has ended, and the line that explains it where one is due. */
export function exitStatus(end: RemoteEnd): { status: number; note?: string } {
  if (end.signal === undefined) return { status: end.exitCode }
  const core = end.coreDumped ? ' (core dumped)' : ''
  // What repeats the name of the signal is no news.
  const message = end.message === '' || end.message.includes(end.signal) ? '' : `: ${printable(end.message)}`
  return {
    status: signalStatus(end.signal),
    note: `The remote process was ended by signal ${printable(end.signal)}${core}${message}.`,
  }
}

/**
 * Ends this process by a signal, so that a shell or make that started us sees what happened and stops as well: bash
 * goes on with its loop after an exit status of 130, and not after a death by SIGINT.
 */
export function dieBySignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
