import { lstat, statfs } from 'node:fs/promises'
import path from 'node:path'

/** Milliseconds. */
export interface Patience {
  /** A call that takes longer is slow: its file system is asked whether it answers at all. */
  slowMs: number
  /** Where it has not answered for so long, whoever waits is told. */
  giveUpMs: number
}

/** A place that was asked whether it answers, and has not yet. */
interface Question {
  readonly since: number
  readonly answered: Promise<void>
  /** It is a link, and what does not answer is what it leads to: the link itself can be looked at. */
  isLink: boolean
  /** Somebody was told already that it does not answer. */
  givenUp: boolean
}

/**
 * Which file systems do not answer. A call that takes long says little: to write out a large file may take minutes. So
 * something small is asked, lstat(2) and statfs(2), of each directory on the way to the file: the first that does not
 * answer is where the file system is mounted, or a link into it, and nothing below it is of use to anybody.
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

  /** Resolves once everything on the way to a file has answered. @param open what leads to it where it is open */
  async answer(name: string, open?: string): Promise<void> {
    let place = ''
    for (const part of path.posix.normalize(name).split('/')) {
      place = `${place === '/' ? '' : place}/${part}`
      await this.#ask(place)
    }
    if (open !== undefined) await this.#ask(open)
  }

  /** Whether any has not answered for a while. */
  get isAnySilent(): boolean {
    return [...this.#questions.values()].some((question) => this.#isLate(question))
  }

  /** Whether a path lies where nothing has been answered for a while. @param itself what is there, should it be a link */
  isSilent(name: string, itself: boolean): boolean {
    return this.#some(name, itself, (question) => this.#isLate(question))
  }

  /** Whether somebody has been told so already. */
  isGivenUp(name: string, itself: boolean): boolean {
    return this.#some(name, itself, ({ givenUp }) => givenUp)
  }

  /** From now on, as long as it does not answer, whoever asks is told at once. */
  giveUp(name: string, open?: string): void {
    const normal = path.posix.normalize(name)
    for (const [place, question] of this.#questions) {
      if (place === open || normal === place || isBelow(normal, place)) question.givenUp = true
    }
  }

  async #ask(place: string): Promise<void> {
    while (this.#questions.size >= this.#most && !this.#questions.has(place)) {
      await Promise.race([...this.#questions.values()].map(({ answered }) => answered))
    }
    const known = this.#questions.get(place)
    if (known !== undefined) return known.answered
    const look = async (): Promise<void> => {
      const bytes = Buffer.from(place, 'latin1')
      try {
        question.isLink = (await lstat(bytes)).isSymbolicLink()
        await statfs(bytes)
      } catch {
        // Whatever it answers, that it is gone for example, it does answer.
      }
      this.#questions.delete(place)
      this.#onAnswer()
    }
    const question: Question = {
      since: performance.now(),
      answered: Promise.resolve().then(look),
      isLink: false,
      givenUp: false,
    }
    this.#questions.set(place, question)
    return question.answered
  }

  #isLate({ since }: Question): boolean {
    return performance.now() - since >= this.#slowMs
  }

  #some(name: string, itself: boolean, is: (question: Question) => boolean): boolean {
    if (this.#questions.size === 0) return false
    const normal = path.posix.normalize(name)
    for (const [place, question] of this.#questions) {
      const isThere = isBelow(normal, place) || (normal === place && !(itself && question.isLink))
      if (isThere && is(question)) return true
    }
    return false
  }
}

const isBelow = (name: string, place: string): boolean => name.startsWith(place === '/' ? place : `${place}/`)
