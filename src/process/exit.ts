import { callBudget } from '../core/blocking-calls.js'
import { looksUnderWay } from './bounded-look.js'
import { libc } from './libc.js'

/**
 * Ends this process, as process.exit() does up to its listeners, and then without waiting for the threads that serve
 * files: one that looks at a file system that doesn't answer would keep the process, and its status from whoever waits
 * for that, until it does.
 */
export function exitAtOnce(status: number): never {
  process.once('exit', () => {
    // Where none is in use, as in most runs of a client, koffi need not be loaded for it.
    if (callBudget().taken + looksUnderWay() === 0) return
    try {
      libc().exit(status)
    } catch {
      // Without koffi, as Node.js does it.
    }
  })
  process.exit(status)
}
