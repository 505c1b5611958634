import { constants } from 'node:os'
import { systemCode } from '../core/errors.js'

/** The first real-time signal that a program may use: the C libraries keep those before it, signal(7). */
export const REAL_TIME_MIN = 34
export const REAL_TIME_MAX = 64

const numbers: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals))

/** The number of a signal by its name as SSH has it, 'TERM', or 'RTMIN+3'; undefined if there is none. */
export function signalNumber(name: string): number | undefined {
  const realTime = /^RTMIN(?:\+(\d{1,2}))?$/.exec(name)
  if (realTime !== null) {
    const number = REAL_TIME_MIN + Number(realTime[1] ?? 0)
    return number <= REAL_TIME_MAX ? number : undefined
  }
  return numbers.get(`SIG${name}`)
}

/** The exit status that a shell shows of a process that this signal ended, 128 + its number; 128 if it has none here. */
export function signalStatus(name: string): number {
  return 128 + (signalNumber(name) ?? 0)
}

/** The name of a signal as SSH has it. */
export function signalName(number: number): string {
  if (number >= REAL_TIME_MIN) return number === REAL_TIME_MIN ? 'RTMIN' : `RTMIN+${number - REAL_TIME_MIN}`
  // The first of those that have several: ABRT, not IOT.
  const name = [...numbers].find(([, candidate]) => candidate === number)?.[0]
  return name === undefined ? String(number) : name.slice(3)
}

/** Sends a signal; false if there is nobody (any more), or nobody whom we may send it to. */
export function sendSignal(pid: number, signal: number): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}
