/** All in this process that have a part of the same budget. */
export class Sharers {
  count = 0
}

/** Bytes of which each has an equal part: those of one connection, and those of all connections together. */
export interface Budget {
  readonly connection: number
  readonly process: number
}

/**
 * What one of many may hold of memory. A limit for each alone would, with as many as there may be, be one for none: so
 * each has less the more there are, in its connection and in the process.
 */
export class MemoryShare {
  readonly #budget: Budget
  readonly #all: Sharers
  #count = 0

  /** For those of one connection. */
  constructor(budget: Budget, all: Sharers) {
    this.#budget = budget
    this.#all = all
  }

  /** One more. Gives what is to be called, once, when it is gone. */
  enter(): () => void {
    this.#count += 1
    this.#all.count += 1
    return () => {
      this.#count -= 1
      this.#all.count -= 1
    }
  }

  /** The part of each. */
  get bytes(): number {
    const { connection, process } = this.#budget
    return Math.floor(Math.min(connection / Math.max(1, this.#count), process / Math.max(1, this.#all.count)))
  }
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
