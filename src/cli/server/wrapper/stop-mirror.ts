import { constants } from 'node:os'
import { STOP_LOOK_MS, STOP_SETTLE_MS } from '../../../core/limits.js'

const { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals
/** The signals of a terminal that stop who doesn't catch them. */
const OF_TERMINAL: readonly number[] = [SIGTSTP, SIGTTIN, SIGTTOU]

export interface Mirrored {
  isJobStopped(): boolean
  isWrapperStopped(): boolean
  stopJob(): void
  continueWrapper(): void
  /** Has the wrapper stop itself by this signal. */
  stopWrapper(signal: number): void
  /** True while it is open whether the job is to be continued: what stands still then may go on by itself. */
  isUndecided(): boolean
}

/**
 * Keeps the wrapper and the job stopped together, so that who waits for the wrapper (a shell, a batch system) sees of
 * the job what it would see without us, and can stop it.
 */
export class StopMirror {
  readonly #mirrored: Mirrored
  readonly #timer: NodeJS.Timeout
  #settling: NodeJS.Timeout | undefined
  /** We have told the wrapper to stop, and it has not gone on since. */
  #told = false
  #ended = false
  /** The signal that is the likely cause when the job stops now. */
  #cause: { signal: number; at: number } | undefined

  constructor(mirrored: Mirrored) {
    this.#mirrored = mirrored
    // Whoever stops the wrapper alone tells nobody.
    this.#timer = setInterval(() => this.look(), STOP_LOOK_MS)
    this.#timer.unref()
  }

  /** A signal that the job has got, or will. */
  signalled(signal: number): void {
    if (OF_TERMINAL.includes(signal)) this.#cause = { signal, at: performance.now() }
  }

  /** The wrapper goes on, after it has stopped as it was told. */
  wrapperContinued(): void {
    this.#told = false
    this.#cause = undefined
    this.look()
  }

  /** To be called when the job may have been stopped or continued: at SIGCHLD. */
  look(): void {
    if (this.#ended || this.#settling !== undefined || !this.#isUnequal()) return
    // They may be on their way to the same state, one after the other.
    this.#settling = setTimeout(() => {
      this.#settling = undefined
      if (this.#isUnequal()) this.#act()
    }, STOP_SETTLE_MS)
  }

  /** The job is over: nobody is stopped any more. */
  end(): void {
    this.#ended = true
    clearInterval(this.#timer)
    clearTimeout(this.#settling)
    if (this.#mirrored.isWrapperStopped()) this.#mirrored.continueWrapper()
  }

  #isUnequal(): boolean {
    const { isJobStopped, isWrapperStopped, isUndecided } = this.#mirrored
    return !isUndecided() && isJobStopped() !== isWrapperStopped()
  }

  #act(): void {
    const { isJobStopped, continueWrapper, stopJob, stopWrapper } = this.#mirrored
    if (isJobStopped()) {
      if (this.#told) return // it is about to
      this.#told = true
      const recent = this.#cause !== undefined && performance.now() - this.#cause.at < STOP_LOOK_MS
      stopWrapper(recent ? (this.#cause?.signal ?? SIGSTOP) : SIGSTOP)
    } else if (this.#told) continueWrapper()
    else stopJob()
  }
}
