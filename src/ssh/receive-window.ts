/** A window grows when its peer spent more than this part of the time waiting for it. */
const WAITING_SHARE = 1 / 4

/**
 * What the peer may send on a channel: RFC 4254 §5.2. The window begins as OpenSSH's and grows while its reader keeps
 * up and the path is so long that the peer, having sent all that it may, waits for our answer. On any other path a
 * larger one gains nothing, and costs: a client of OpenSSH buffers as much as the window takes, and copies all of that
 * buffer for each 32 KiB by which it grows. It is never more than `most`, and shrinks with that.
 */
export class ReceiveWindow {
  /** How much the peer may still send. */
  credit: number
  readonly #most: () => number
  readonly #now: () => number
  #size: number
  #received = 0
  /** Where the peer had to stop until it learned of an adjustment, in bytes received; those that lie ahead. */
  readonly #stops: number[] = []
  /** Since when the peer has sent all that it knew it might. */
  #waitingSince: number | undefined
  /** Since the window was looked at last: */
  #cycle: { start: number; received: number; waited: number } | undefined

  /** @param now milliseconds on a clock that never goes back */
  constructor(initial: number, most: () => number, now: () => number = () => performance.now()) {
    this.credit = initial
    this.#size = initial
    this.#most = most
    this.#now = now
  }

  /** @throws RangeError if the peer sent more than it may */
  take(bytes: number): void {
    if (bytes > this.credit) throw new RangeError('the peer sent more than its window allows')
    this.#cycle ??= { start: this.#now(), received: 0, waited: 0 }
    if (this.#waitingSince !== undefined) {
      this.#cycle.waited += this.#now() - this.#waitingSince
      this.#waitingSince = undefined
    }
    this.credit -= bytes
    this.#received += bytes
    this.#cycle.received += bytes
    while ((this.#stops[0] ?? this.#received) < this.#received) this.#stops.shift()
    if (this.#stops[0] === this.#received) this.#waitingSince = this.#now()
  }

  /**
   * What to adjust the peer's window by now: 0 is nothing.
   * @param unread what has arrived and was not read yet
   */
  grant(unread: number): number {
    this.#size = Math.min(this.#size, this.#most())
    const keepsUp = unread < this.#size / 8
    if (this.#size - this.credit - unread < this.#size / (keepsUp ? 4 : 2)) return 0
    if (keepsUp) this.#grow()
    const amount = this.#size - this.credit - unread
    const stop = this.#received + this.credit
    this.#stops.push(stop)
    this.credit += amount
    // It stood still already: whether for a reader of ours or for us, from now on it is for the path.
    if (stop === this.#received) this.#waitingSince ??= this.#now()
    return amount
  }

  #grow(): void {
    const cycle = this.#cycle
    if (cycle === undefined || cycle.received < this.#size) return
    const elapsed = this.#now() - cycle.start
    // What it would have sent in the whole time, as fast as in the time in which it did not wait.
    const wanted = (this.#size * elapsed) / Math.max(elapsed - cycle.waited, Number.EPSILON)
    if (cycle.waited > elapsed * WAITING_SHARE) this.#size = Math.min(Math.ceil(wanted), this.#most())
    this.#cycle = { start: this.#now(), received: 0, waited: 0 }
  }
}
