import { SshjobError } from '../../core/errors.js'

/** Undefined where the terminal can't be asked or told, since koffi is not there: Node.js knows less, and does. */
export function ifPossible<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof SshjobError) return undefined
    throw error
  }
}
