import { callBudget } from '../core/blocking-calls.js'
import { cLibrary } from './c-library.js'

/**
 * Ends this process with this status, as process.exit(), whatever its threads wait for: exit(3) waits for those of libuv,
 * and one in a file system that does not answer would keep the process, and whoever waits for it, for ever.
 */
export function endProcess(status: number): never {
  if (callBudget().taken > 0) exitNow(status)
  process.exit(status)
}

/** By _exit(2), where that can be had. */
function exitNow(status: number): void {
  const exit = cLibrary()?.func('void _exit(int)')
  if (exit === undefined) return
  process.emit('exit', status)
  exit(status)
}
