import { WINDOW_INITIAL, WINDOW_MAX } from '../../../src/core/limits.js'
import { ReceiveWindow } from '../../../src/ssh/receive-window.js'

const PACKET = 32 * 1024

interface Path {
  /** How long a byte takes in one direction, in milliseconds. */
  delay: number
  /** How long a packet takes until the next may follow, in milliseconds. */
  perPacket: number
}

/** Sends packets over a path, as fast as path and window allow, to a reader that keeps up. Gives the window at the end. */
function sendOver({ delay, perPacket }: Path, bytes: number, most = WINDOW_MAX): number {
  let clock = 0
  const window = new ReceiveWindow(
    WINDOW_INITIAL,
    () => most,
    () => clock,
  )
  const adjustments: { at: number; amount: number }[] = []
  let allowed = window.credit
  let sentAt = 0
  for (let sent = 0; sent < bytes; ) {
    while (adjustments[0] !== undefined && (allowed === 0 || adjustments[0].at <= sentAt)) {
      const { at, amount } = adjustments.shift() ?? { at: 0, amount: 0 }
      sentAt = Math.max(sentAt, at)
      allowed += amount
    }
    const packet = Math.min(PACKET, allowed)
    if (packet === 0) throw new Error('the sender is stuck')
    allowed -= packet
    sent += packet
    sentAt += perPacket
    clock = sentAt + delay
    window.take(packet)
    const amount = window.grant(0)
    if (amount > 0) adjustments.push({ at: clock + delay, amount })
  }
  return window.credit
}

describe('the window of a channel', () => {
  it('grows to its largest on a long path', () => {
    expect(sendOver({ delay: 50, perPacket: 0.1 }, 64 * WINDOW_INITIAL)).toBeGreaterThan((WINDOW_MAX * 3) / 4)
  })

  it('grows no further than it may, and shrinks when it may be less', () => {
    const long = { delay: 50, perPacket: 0.1 }
    expect(sendOver(long, 64 * WINDOW_INITIAL, 3 * WINDOW_INITIAL)).toBeLessThanOrEqual(3 * WINDOW_INITIAL)
    let most = WINDOW_MAX
    const window = new ReceiveWindow(WINDOW_INITIAL, () => most)
    most = WINDOW_INITIAL / 8
    let granted = 0
    for (let sent = 0; sent < WINDOW_INITIAL; sent += PACKET) {
      window.take(PACKET)
      granted += window.grant(0)
    }
    expect(window.credit).toBe(granted)
    expect(window.credit).toBeLessThanOrEqual(most)
    expect(window.credit).toBeGreaterThan(0)
  })

  it('grows only as far as the path needs it', () => {
    const window = sendOver({ delay: 5, perPacket: 0.1 }, 64 * WINDOW_INITIAL)
    // Three megabytes are on their way at once, and one step too many may be taken.
    expect(window).toBeLessThanOrEqual(4 * WINDOW_INITIAL)
    expect(window).toBeGreaterThan(WINDOW_INITIAL)
  })

  it('stays as it is on a short path, however fast or slow', () => {
    for (const perPacket of [0.05, 0.5, 5]) {
      expect(sendOver({ delay: 0.05, perPacket }, 64 * WINDOW_INITIAL)).toBeLessThanOrEqual(WINDOW_INITIAL)
    }
  })

  it('stays as it is for a reader that is behind, and gives it half a window at a time', () => {
    let clock = 0
    const window = new ReceiveWindow(
      WINDOW_INITIAL,
      () => WINDOW_MAX,
      () => clock,
    )
    for (let round = 0; round < 20; round++) {
      clock += 1
      window.take(window.credit)
      expect(window.grant(WINDOW_INITIAL)).toBe(0)
      clock += 1_000
      expect(window.grant(WINDOW_INITIAL / 2 + 1)).toBe(0)
      expect(window.grant(WINDOW_INITIAL / 2)).toBe(WINDOW_INITIAL / 2)
    }
  })

  it('is what the peer may send at most', () => {
    const window = new ReceiveWindow(WINDOW_INITIAL, () => WINDOW_MAX)
    window.take(WINDOW_INITIAL - 1)
    expect(() => window.take(2)).toThrow('the peer sent more than its window allows')
  })
})
