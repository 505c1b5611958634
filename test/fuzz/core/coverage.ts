import { Session } from 'node:inspector'

interface Range {
  startOffset: number
  endOffset: number
  count: number
}

/** Larger than any offset in the bundle. */
const OFFSETS = 2 ** 23

/**
 * What of our code has been run, and about how often, as V8 counts it. A case that adds to this is worth changing a
 * little: its relatives may go further.
 */
export class Coverage {
  readonly #session = new Session()
  readonly #url: string
  /** Ranges that were run, once for each power of four of their count: how often exactly is no news. */
  readonly #seen = new Set<number>()
  /** By functions: blocks that were not run when the function was. V8 tells of those, and not of what runs with it. */
  readonly #blocks = new Map<number, Map<number, Range>>()
  #reached = 0

  /** @param url of the one file that everything is in */
  constructor(url: string) {
    this.#url = url
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Functions and blocks that have been reached. */
  get size(): number {
    return this.#reached
  }

  /** Counts what has been run since the last call; gives whether any of it is new. */
  grow(): boolean {
    const before = this.#reached + this.#seen.size
    // Answered before post() returns: the session is within this process.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error
      for (const { url, functions } of answer.result)
        if (url === this.#url) for (const { ranges } of functions) this.#note(ranges)
    })
    return this.#reached + this.#seen.size > before
  }

  /** The first range is the function, those behind it are blocks of it whose count is another. */
  #note(ranges: readonly Range[]): void {
    const [whole] = ranges
    if (whole === undefined || whole.count === 0) return
    const closed = ranges.filter(({ count }) => count === 0)
    this.#noteBlocks(keyOf(whole), closed)
    for (const range of ranges) {
      if (range.count > 0)
        this.#seen.add(keyOf(range) * 4 + Math.min(3, Math.floor(Math.log2(range.count) / 2)))
    }
  }

  #noteBlocks(name: number, closed: readonly Range[]): void {
    let known = this.#blocks.get(name)
    if (known === undefined) {
      known = new Map(closed.map((block) => [keyOf(block), { ...block }]))
      this.#blocks.set(name, known)
      this.#reached++
      return
    }
    for (const block of known.values()) {
      if (block.count > 0 || closed.some((other) => contains(other, block))) continue
      block.count = 1
      this.#reached++
    }
    for (const block of closed) if (!known.has(keyOf(block))) known.set(keyOf(block), { ...block })
  }
}

const keyOf = ({ startOffset, endOffset }: Range): number => startOffset * OFFSETS + endOffset

function contains(outer: Range, inner: Range): boolean {
  return outer.startOffset <= inner.startOffset && inner.endOffset <= outer.endOffset
}
