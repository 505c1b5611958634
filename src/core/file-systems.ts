import { statfs } from 'node:fs/promises'
import path from 'node:path'
import { isBelow, mountPointOf } from './mount-points.js'

/** Milliseconds. */
export interface Patience {
  /** A call that takes longer is slow: its file system is asked whether it answers at all. */
  slowMs: number
  /** Where it has not answered for so long, whoever waits is told. */
  giveUpMs: number
}

/** A place whose file system was asked, and has not answered yet. */
interface Question {
  readonly since: number
  readonly answered: Promise<void>
  /** Somebody was told already that it does not answer. */
  givenUp: boolean
}

/**
 * Which file systems do not answer. A call that takes long says little: to write out a large file may take minutes. So
 * the file system is asked something small, statfs(2), first at its mount point and then at the path itself, which a
 * link may lead elsewhere: while the first waits, nothing there is of use to anybody.
 * Paths are bytes, in strings of one character each.
 */
export class FileSystems {
  readonly #slowMs: number
  readonly #most: number
  readonly #onAnswer: () => void
  readonly #questions = new Map<string, Question>()

  /**
   * @param most how many may be asked at a time: each that does not answer keeps a thread
   * @param onAnswer called when one has answered
   */
  constructor({ slowMs }: Patience, most: number, onAnswer: () => void) {
    this.#slowMs = slowMs
    this.#most = most
    this.#onAnswer = onAnswer
  }

  /** How many are asked now. */
  get asked(): number {
    return this.#questions.size
  }

  /** Resolves once the file system of a path has answered. @param open what leads to the file where it is open */
  async answer(name: string, open = name): Promise<void> {
    const mountPoint = await mountPointOf(path.posix.normalize(name))
    for (const place of [mountPoint, open]) if (place !== undefined) await this.#ask(place)
  }

  /** Whether a path lies where nothing has been answered for a while. */
  isSilent(name: string): boolean {
    return this.#some(name, ({ since }) => performance.now() - since >= this.#slowMs)
  }

  /** Whether somebody has been told so already. */
  isGivenUp(name: string): boolean {
    return this.#some(name, ({ givenUp }) => givenUp)
  }

  giveUp(name: string, open = name): void {
    for (const [place, question] of this.#questions) {
      if (place === open || isBelow(path.posix.normalize(name), place)) question.givenUp = true
    }
  }

  async #ask(place: string): Promise<void> {
    while (this.#questions.size >= this.#most && !this.#questions.has(place)) {
      await Promise.race([...this.#questions.values()].map(({ answered }) => answered))
    }
    const known = this.#questions.get(place)
    if (known !== undefined) return known.answered
    // Whatever it answers, that it is gone among it, it does answer.
    const answered = statfs(Buffer.from(place, 'latin1')).then(
      () => this.#forget(place),
      () => this.#forget(place),
    )
    this.#questions.set(place, { since: performance.now(), answered, givenUp: false })
    return answered
  }

  #forget(place: string): void {
    this.#questions.delete(place)
    this.#onAnswer()
  }

  #some(name: string, is: (question: Question) => boolean): boolean {
    if (this.#questions.size === 0) return false
    const normal = path.posix.normalize(name)
    for (const [place, question] of this.#questions) if (is(question) && isBelow(normal, place)) return true
    return false
  }
}
