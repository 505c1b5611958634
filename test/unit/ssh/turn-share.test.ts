import { PACKET_COST, TURN_BYTES } from '../../../src/core/limits.js'
import { TurnShare } from '../../../src/ssh/turn-share.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'

describe('the share of a turn', () => {
  it('is used up by bytes and by packets, and there is another one later', async () => {
    let turns = 0
    const share = new TurnShare(() => {
      turns += 1
    })
    share.spend(TURN_BYTES / 2, 0)
    expect(share.isOver).toBe(false)
    share.spend(0, TURN_BYTES / 2 / PACKET_COST)
    expect(share.isOver).toBe(true)
    expect(turns).toBe(0)
    await turnOfEventLoop()
    expect([share.isOver, turns]).toEqual([false, 1])
    await turnOfEventLoop()
    expect(turns).toBe(1)
  })

  it('is for one at a time, in the order in which theirs were used up', async () => {
    const order: number[] = []
    const shares = [0, 1, 2].map((n): TurnShare => {
      const share = new TurnShare(() => {
        order.push(n)
        if (order.length < 6) share.spend(TURN_BYTES, 0)
      })
      return share
    })
    for (const share of shares) share.spend(TURN_BYTES, 0)
    for (let turn = 1; turn <= 3; turn++) {
      await turnOfEventLoop()
      expect(order).toHaveLength(turn)
    }
    while (order.length < 8) await turnOfEventLoop()
    expect(order).toEqual([0, 1, 2, 0, 1, 2, 0, 1])
  })

  it('of one that has ended keeps nobody waiting', async () => {
    const order: number[] = []
    const shares = [0, 1].map((n) => new TurnShare(() => order.push(n)))
    for (const share of shares) share.spend(TURN_BYTES, 0)
    shares[0]?.stop()
    await turnOfEventLoop()
    expect(order).toEqual([1])
  })
})
