import { PACKET_COST, TURN_BYTES } from '../core/limits.js'

/** Those whose share is used up, the first of which has the next turn; each turn of the event loop is for one of them. */
const waiting = new Set<TurnShare>()
let areGiven = false

function giveTurns(): void {
  const [first] = waiting
  areGiven = waiting.size > 1
  if (areGiven) setImmediate(giveTurns)
  if (first === undefined) return
  waiting.delete(first)
  first.begin()
}

/**
 * What one connection may do in one direction before the others have their turn. Without it, one that sends or takes all
 * that it can lets the others wait for megabytes; and many of them at a time would, if all went on in every turn of the
 * event loop.
 */
export class TurnShare {
  readonly #onTurn: () => void
  #spent = 0

  /** @param onTurn called when the next turn has come, after one that was used up */
  constructor(onTurn: () => void) {
    this.#onTurn = onTurn
  }

  get isOver(): boolean {
    return waiting.has(this)
  }

  /** A packet costs something however short it is. */
  spend(bytes: number, packets: number): void {
    this.#spent += bytes + packets * PACKET_COST
    if (this.#spent < TURN_BYTES) return
    waiting.add(this)
    if (areGiven) return
    areGiven = true
    setImmediate(giveTurns)
  }

  begin(): void {
    this.#spent = 0
    this.#onTurn()
  }

  stop(): void {
    waiting.delete(this)
  }
}
