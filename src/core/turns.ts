/** Whoever shares turns with others. */
export interface Holder {
  /** How many it has now. */
  held: number
  /** How many it may have, where others have left so many. */
  most(left: number): number
}

export interface Turn {
  readonly holder: Holder
  /** False while it has to wait for something else than its holder's share. */
  mayBegin(): boolean
  begin(): void
}

/** So many at a time. Those that wait get theirs one by one from each holder. */
export class Turns {
  readonly #total: number
  #taken = 0
  /** The first has waited longest for its next one. */
  readonly #waiting = new Map<Holder, Set<Turn>>()

  constructor(total: number) {
    this.#total = total
  }

  get taken(): number {
    return this.#taken
  }

  /** Begins it, now or later. */
  ask(turn: Turn): void {
    if (this.#hasRoomFor(turn.holder) && turn.mayBegin()) return this.#begin(turn)
    const others = this.#waiting.get(turn.holder)
    if (others === undefined) this.#waiting.set(turn.holder, new Set([turn]))
    else others.add(turn)
  }

  /** It has not begun, and nobody wants it any more. */
  cancel(turn: Turn): void {
    const turns = this.#waiting.get(turn.holder)
    turns?.delete(turn)
    if (turns?.size === 0) this.#waiting.delete(turn.holder)
  }

  /** It has begun, and is over. */
  end({ holder }: Turn): void {
    this.#taken -= 1
    holder.held -= 1
    this.look()
  }

  /** Begins what may begin now. */
  look(): void {
    // Who gets a turn goes to the end of the line, and is met there again.
    for (const [holder, turns] of this.#waiting) {
      if (!this.#hasRoomFor(holder)) continue
      for (const turn of turns) {
        if (!turn.mayBegin()) continue
        this.cancel(turn)
        if (this.#waiting.delete(holder)) this.#waiting.set(holder, turns)
        this.#begin(turn)
        break
      }
    }
  }

  #hasRoomFor(holder: Holder): boolean {
    const left = this.#total - this.#taken
    return left > 0 && holder.held < holder.most(left + holder.held)
  }

  #begin(turn: Turn): void {
    this.#taken += 1
    turn.holder.held += 1
    turn.begin()
  }
}
