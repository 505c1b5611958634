import type { SshjobError } from './errors.js'
import { FileCalls, FileShare } from './file-call.js'
import type { Patience } from './file-systems.js'
import { NAME_LOOKUPS_EACH, NAME_LOOKUPS_MAX, PATH_LOOKS_MAX, THREADS_DEFAULT } from './limits.js'
import { onAbort } from './on-abort.js'
import { threadPoolSize } from './thread-pool.js'
import { type Holder, type Turn, Turns } from './turns.js'

/**
 * The threads of this process for calls that wait. One of a file system that does not answer keeps its thread for as
 * long as that lasts, and nothing can end it: what can be kept small is the harm. A connection gets a few threads, all
 * of them together never the last ones, and where a file system is known not to answer it gets no more of them.
 */
export class CallBudget {
  readonly files: FileCalls
  readonly names: Turns

  /** @param threads of libuv, all told */
  constructor(threads: number, patience?: Patience) {
    const names = Math.min(NAME_LOOKUPS_MAX, Math.max(1, Math.floor(threads / 4)))
    const questions = Math.max(1, Math.floor(threads / 8))
    // As many as may question file systems are left for what the process itself has to do; of libuv's four, none.
    const calls = threads > 4 ? threads - names - 2 * questions : Math.max(1, threads - names - questions)
    this.files = new FileCalls({ calls, questions }, patience)
    this.names = new Turns(names)
  }

  /** How many threads are taken now: exit(3) would wait for them. */
  get taken(): number {
    return this.files.turns.taken + this.files.fileSystems.asked + this.names.taken
  }
}

let ofProcess: CallBudget | undefined

/** That of this process. @param patience counts the first time only; default: FILE_SLOW_MS and FILE_GIVE_UP_MS */
export function callBudget(patience?: Patience): CallBudget {
  const threads = threadPoolSize()
  ofProcess ??= new CallBudget(threads > THREADS_DEFAULT ? threads - PATH_LOOKS_MAX : threads, patience)
  return ofProcess
}

export interface FileCallOptions<T> {
  /** It is about what the path names, should that be a link, and not about what it leads to. Default: false. */
  itself?: boolean
  /** What leads to the file where it is open already: what the path names may be another one by now. */
  open?: string
  /** Gets what came after all, when nobody waited any more. */
  undo?: (late: T) => void
  /** Has to be done, also where nobody waits for it any more. Default: false. */
  certain?: boolean
}

/** The calls of one connection. */
export class BlockingCalls {
  readonly #budget: CallBudget
  readonly #files = new FileShare()
  readonly #names: Holder = { held: 0, most: () => NAME_LOOKUPS_EACH }

  constructor(budget = callBudget()) {
    this.#budget = budget
  }

  /**
   * A call that a file system has to answer, as soon as there is a thread for it.
   * @param path what it is about: absolute
   * @throws SshjobError 'not-answering' where there is no answer for FILE_GIVE_UP_MS, and at once where that is known
   *   already; what the call throws
   */
  file<T>(path: string | Buffer, call: () => Promise<T>, options: FileCallOptions<T> = {}): Promise<T> {
    const name = (typeof path === 'string' ? Buffer.from(path) : path).toString('latin1')
    const { itself = false, open, undo, certain = false } = options
    return new Promise((resolve, reject) => {
      let isOver = false
      const run = async (): Promise<void> => {
        try {
          const result = await call()
          if (isOver) undo?.(result)
          else resolve(result)
        } catch (error) {
          reject(error)
        }
      }
      const fail = (error: SshjobError): void => {
        isOver = true
        reject(error)
      }
      this.#budget.files.ask({ share: this.#files, path: name, itself, open, certain, run, fail })
    })
  }

  /**
   * A call that a name server has to answer, as soon as there is a thread for it.
   * @param signal takes back what has not begun
   * @throws SshjobError 'aborted'; what the call throws
   */
  name<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { names } = this.#budget
    return new Promise((resolve, reject) => {
      const turn: Turn = {
        holder: this.#names,
        mayBegin: () => true,
        begin: () => {
          forgetSignal()
          void call()
            .then(resolve, reject)
            .then(() => names.end(turn))
        },
      }
      const forgetSignal = onAbort(signal, (reason) => {
        names.cancel(turn)
        reject(reason)
      })
      if (!signal.aborted) names.ask(turn)
    })
  }
}

let own: BlockingCalls | undefined

/** The calls of this process that are for no connection in particular. */
export function ownCalls(): BlockingCalls {
  own ??= new BlockingCalls()
  return own
}
