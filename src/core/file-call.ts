import { SshjobError } from './errors.js'
import { FileSystems, type Patience } from './file-systems.js'
import { FILE_GIVE_UP_MS, FILE_SLOW_MS, THREADS_DEFAULT, THREADS_FOR_FILES_EACH } from './limits.js'
import { mountPointOf } from './mount-points.js'
import { type Holder, type Turn, Turns } from './turns.js'

/** What one connection has of the threads for files. */
export class FileShare implements Holder {
  held = 0
  /** Those of them that take long, and those that nobody waits for any more: where they are, no more are begun. */
  slow = 0
  lost = 0

  most(left: number): number {
    // Of what is left a half stays for others; and while something takes long, there is one more at a time.
    const share = Math.max(1, Math.min(THREADS_FOR_FILES_EACH, Math.floor(left / 2)))
    return this.lost + (this.slow === 0 ? share : Math.min(Math.max(share, 2), this.slow + 1))
  }
}

export interface FileCallParts {
  share: FileShare
  /** Bytes, in a string of one character each. */
  path: string
  /** It is about what the path names, should that be a link, and not about what it leads to. */
  itself: boolean
  /** What leads to the file where it is open already: what the path names may be another one by now. */
  open: string | undefined
  /** Has to be done, also where nobody waits for it any more. */
  certain: boolean
  /** Never rejects. */
  run: () => Promise<void>
  /** Tells whoever waits. */
  fail: (error: SshjobError) => void
}

/** A call of a file that is under way, or waits for its turn. */
export class FileCall implements Turn {
  readonly holder: FileShare
  readonly #parts: FileCallParts
  readonly #calls: FileCalls
  readonly #mountPoint: string
  /** How often it was looked at since it was asked for, has begun, or its file system has answered. */
  #looks = 0
  #hasBegun = false
  #isSlow = false
  #isLost = false
  #isQuestioned = false

  constructor(parts: FileCallParts, calls: FileCalls) {
    this.holder = parts.share
    this.#parts = parts
    this.#calls = calls
    this.#mountPoint = mountPointOf(parts.path)
  }

  mayBegin(): boolean {
    const { path, itself } = this.#parts
    return this.#calls.hasRoomAt(this.#mountPoint) && !this.#calls.fileSystems.isSilent(path, itself)
  }

  begin(): void {
    this.#hasBegun = true
    this.#looks = 0
    this.#calls.begin(this.#mountPoint)
    void this.#parts.run().then(() => {
      if (this.#isLost) this.holder.lost -= 1
      else if (this.#isSlow) this.holder.slow -= 1
      this.#calls.end(this, this.#mountPoint)
    })
  }

  /**
   * Called every so often. Looks are counted, not times: a process that was stopped has not waited.
   * @param most looks after which there is no use in waiting
   * @returns false once whoever waits for it was told
   */
  look(most: number): boolean {
    const { path, itself, open, certain, fail } = this.#parts
    const { fileSystems, turns } = this.#calls
    this.#looks += 1
    // The first look may have come at once.
    if (this.#hasBegun && this.#looks > 1) this.#question()
    // One that waits for others, which take long and are known to be answered, goes on waiting.
    const isOver = this.#looks > most && (this.#hasBegun || fileSystems.isAnySilent)
    if (!isOver && (this.#hasBegun || !fileSystems.isGivenUp(path, itself))) return true
    const isKnown = this.#hasBegun || fileSystems.isSilent(path, itself)
    if (this.#hasBegun) {
      fileSystems.giveUp(path, open)
      this.#isLost = true
      this.holder.slow -= 1
      this.holder.lost += 1
    } else if (!certain) turns.cancel(this)
    fail(isKnown ? notAnswering(path) : tooMany(path))
    return false
  }

  /** Asks its file system whether it answers, unless that was asked and is not known yet. */
  #question(): void {
    if (!this.#isSlow) this.holder.slow += 1
    this.#isSlow = true
    if (this.#isQuestioned) return
    this.#isQuestioned = true
    void this.#calls.fileSystems.answer(this.#parts.path, this.#parts.open).then(() => {
      this.#isQuestioned = false
      this.#looks = 0
    })
  }
}

/** All calls of files in this process. */
export class FileCalls {
  readonly turns: Turns
  readonly fileSystems: FileSystems
  readonly #patience: Patience
  readonly #awaited = new Set<FileCall>()
  /** How many of one file system may be under way, and how many are. */
  readonly #mostAt: number
  readonly #under = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  /** @param threads for them, and for what is asked of file systems on their account */
  constructor(
    threads: { calls: number; questions: number },
    patience: Patience = { slowMs: FILE_SLOW_MS, giveUpMs: FILE_GIVE_UP_MS },
  ) {
    this.#patience = patience
    this.turns = new Turns(threads.calls)
    // However many touch one that has just ceased to answer: for all others there are as many left. Of very few there
    // is nothing to keep.
    this.#mostAt = threads.calls > THREADS_DEFAULT ? Math.ceil(threads.calls / 2) : threads.calls
    this.fileSystems = new FileSystems(patience, threads.questions, () => this.turns.look())
  }

  /** Begins it, now or later; what goes before its turn comes is that nobody waits for it. */
  ask(parts: FileCallParts): void {
    const { path, itself, certain, fail } = parts
    const isKnown = this.fileSystems.isGivenUp(path, itself)
    if (isKnown) fail(notAnswering(path))
    if (isKnown && !certain) return
    const call = new FileCall(parts, this)
    if (!isKnown) this.#awaited.add(call)
    this.#timer ??= this.#lookLater()
    this.turns.ask(call)
  }

  hasRoomAt(mountPoint: string): boolean {
    return (this.#under.get(mountPoint) ?? 0) < this.#mostAt
  }

  begin(mountPoint: string): void {
    this.#under.set(mountPoint, (this.#under.get(mountPoint) ?? 0) + 1)
  }

  end(call: FileCall, mountPoint: string): void {
    const left = (this.#under.get(mountPoint) ?? 0) - 1
    if (left > 0) this.#under.set(mountPoint, left)
    else this.#under.delete(mountPoint)
    this.#awaited.delete(call)
    this.turns.end(call)
  }

  #lookLater(): NodeJS.Timeout {
    const { slowMs, giveUpMs } = this.#patience
    return setTimeout(() => {
      for (const call of this.#awaited) if (!call.look(giveUpMs / slowMs)) this.#awaited.delete(call)
      this.#timer = this.#awaited.size > 0 ? this.#lookLater() : undefined
    }, slowMs).unref()
  }
}

const forPeople = (path: string): string => Buffer.from(path, 'latin1').toString()

function notAnswering(path: string): SshjobError {
  const message = `The file system of ${forPeople(path)} does not answer.`
  return new SshjobError('not-answering', message, { retry: true })
}

function tooMany(path: string): SshjobError {
  const message = `Too many calls wait for file systems that do not answer: ${forPeople(path)} has to wait as well.`
  return new SshjobError('not-answering', message, { retry: true })
}
