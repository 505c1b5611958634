import { onAbort } from './on-abort.js'

/** The outcome of the promise, or the abort if that is first; `undo` gets what the promise comes to after it. */
export function orAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  undo: (late: T) => void = () => undefined,
): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const forgetSignal = onAbort(signal, (reason) => {
      reject(reason)
      promise.then(undo, () => undefined) // failed: there is nothing to undo
    })
    promise.then(resolve, reject).finally(forgetSignal)
  })
}
