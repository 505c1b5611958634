import { Session } from 'node:inspector'

interface Range {
  startOffset: number
  endOffset: number
  count: number
}

/**
 * What of our code has been run, and about how often, as V8 counts it. A case that adds to this is worth changing a
 * little: its relatives may go further.
 */
export class Coverage {
  readonly #session = new Session()
  readonly #url: string
  readonly #seen = new Set<number>()

  /** @param url of the one file that everything is in */
  constructor(url: string) {
    this.#url = url
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  get size(): number {
    return this.#seen.size
  }

  /** Counts what has been run since the last call; gives whether any of it is new. */
  grow(): boolean {
    const before = this.#seen.size
    // Answered before post() returns: the session is within this process.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error
      for (const script of answer.result) {
        if (script.url !== this.#url) continue
        for (const { ranges } of script.functions) for (const range of ranges) this.#note(range)
      }
    })
    return this.#seen.size > before
  }

  /** A range once for each power of four of its count: how often exactly is no news. */
  #note({ startOffset, endOffset, count }: Range): void {
    if (count === 0) return
    const often = Math.min(3, Math.floor(Math.log2(count) / 2))
    this.#seen.add((startOffset * 2 ** 22 + endOffset) * 4 + often)
  }

  stop(): void {
    this.#session.disconnect()
  }
}
