import { constants } from 'node:os'
import { SIGNAL_GRACE_MS, SIGNAL_MEMORY_MS, SIGNAL_MERGE_MS, WAKE_MS } from '../../../core/limits.js'
import { REAL_TIME_MIN } from '../../../process/signals.js'

const { SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH } = constants.signals
/** SIGSTOP nobody hears of. */
const STOPPING: readonly number[] = [SIGTSTP, SIGTTIN, SIGTTOU]
/** A drowsy wrapper may report them late: with the second, SIGCHLD comes. */
const LATE: readonly number[] = [SIGWINCH, SIGCONT]

export interface RelayTarget {
  /** Sends a signal to the job's first process. */
  send(signal: number): void
  /** Whether that is stopped. */
  isStopped(): boolean
  /** The wrapper may learn of some signals only when it is woken. */
  readonly isDrowsy?: boolean
}

/** What one signal is about to do. Times are milliseconds of performance.now(). */
interface Matching {
  /** Of reports that wait for a hearing. */
  waiting: Set<{ at: number; timer: NodeJS.Timeout }>
  /** What we have heard, oldest first, and no report was there; real-time signals are queued. */
  heard: { at: number; until: number }[]
  /** When a report and a hearing have met. */
  met: number
}

/**
 * Decides which signals the job is to be sent. The wrapper, this process and the job are in one process group: what was
 * sent to the group, or to all processes that there are, both of us get, and the job has it as well. What the wrapper
 * alone has got was sent to it, and is for the job. Which of us learns of it first is chance.
 */
export class SignalRelay {
  readonly #target: RelayTarget
  readonly #signals = new Map<number, Matching>()
  #expected = 0
  #waking: NodeJS.Timeout | undefined

  constructor(target: RelayTarget) {
    this.#target = target
  }

  /** The wrapper is going to be continued by us. */
  expectContinue(): void {
    this.#expected += 1
  }

  /** True while it is open whether the job is to be continued. */
  get continuing(): boolean {
    return this.#waking !== undefined || this.#get(SIGCONT).waiting.size > 0
  }

  /** The wrapper has got this signal. */
  reported(signal: number): void {
    if (signal === SIGCONT && this.#expected > 0) {
      this.#expected -= 1
      return
    }
    this.#standStill(signal)
    const matching = this.#get(signal)
    const now = performance.now()
    // To the process and to its group, one right after the other: who got it by itself may get it once or twice.
    if (signal < REAL_TIME_MIN && now - matching.met < SIGNAL_MERGE_MS) return
    matching.heard = matching.heard.filter(({ until }) => until > now)
    const [first] = matching.heard
    if (first !== undefined) {
      // It may have been another one, before a stop that nobody heard of.
      if (signal === SIGCONT && now - first.at >= SIGNAL_GRACE_MS) this.woken()
      return this.#meet(matching, now)
    }
    const entry = {
      at: now,
      timer: setTimeout(() => {
        matching.waiting.delete(entry)
        this.#target.send(signal)
      }, SIGNAL_GRACE_MS),
    }
    matching.waiting.add(entry)
  }

  /** This process has got it. */
  heard(signal: number): void {
    this.#standStill(signal)
    const matching = this.#get(signal)
    const now = performance.now()
    if (signal < REAL_TIME_MIN && now - matching.met < SIGNAL_MERGE_MS) return
    const [first] = matching.waiting
    if (first === undefined) {
      if (signal < REAL_TIME_MIN) matching.heard = []
      matching.heard.push({ at: now, until: now + this.#memory(signal) })
      return
    }
    this.#drop(matching, first)
    for (const entry of matching.waiting) {
      if (signal < REAL_TIME_MIN && entry.at - first.at < SIGNAL_MERGE_MS) this.#drop(matching, entry)
    }
    this.#meet(matching, now)
  }

  /** The wrapper was continued, and has continued us: that we have heard of it says nothing, but whether the job runs does. */
  woken(): void {
    clearTimeout(this.#waking)
    this.#waking = setTimeout(() => {
      this.#waking = undefined
      if (this.#target.isStopped()) this.#target.send(SIGCONT)
    }, SIGNAL_GRACE_MS)
  }

  /** Who is to stop is not continued by what came before: signal(7). */
  #standStill(signal: number): void {
    if (!STOPPING.includes(signal)) return
    clearTimeout(this.#waking)
    this.#waking = undefined
    const matching = this.#get(SIGCONT)
    for (const entry of matching.waiting) this.#drop(matching, entry)
    matching.heard = []
  }

  /** How long it is remembered that we have heard a signal. */
  #memory(signal: number): number {
    const late = this.#target.isDrowsy === true && LATE.includes(signal)
    return late ? WAKE_MS + SIGNAL_MEMORY_MS : SIGNAL_MEMORY_MS
  }

  #meet(matching: Matching, now: number): void {
    // A shell may tell of several as of one: then nothing more is to be said of the others.
    matching.heard = matching.heard
      .slice(1)
      .map(({ at, until }) => ({ at, until: Math.min(until, now + SIGNAL_GRACE_MS) }))
    matching.met = now
  }

  #drop(matching: Matching, entry: { at: number; timer: NodeJS.Timeout }): void {
    clearTimeout(entry.timer)
    matching.waiting.delete(entry)
  }

  #get(signal: number): Matching {
    const known = this.#signals.get(signal)
    if (known !== undefined) return known
    const matching: Matching = {
      waiting: new Set(),
      heard: [],
      met: Number.NEGATIVE_INFINITY,
    }
    this.#signals.set(signal, matching)
    return matching
  }
}
