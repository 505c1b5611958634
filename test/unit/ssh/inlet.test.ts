import { randomBytes } from 'node:crypto'
import { PACKET_COST, TURN_BYTES, TURN_PIECE_BYTES } from '../../../src/core/limits.js'
import { Inlet } from '../../../src/ssh/inlet.js'
import { streamPair } from '../../../src/streams/memory.js'
import { turnOfEventLoop, until } from '../../helpers/bytes.js'

const SENT = randomBytes(4 * 1024 * 1024)

describe('the way in', () => {
  it.each([
    ['few long packets', 0, TURN_BYTES],
    ['many short packets', (2 * TURN_BYTES) / PACKET_COST, TURN_PIECE_BYTES],
  ])(
    'takes all that comes in its order, as much as a turn is for, where it is %s',
    async (_title, packets, share) => {
      const [near, far] = streamPair()
      const taken: Buffer[] = []
      const inlet = new Inlet(near, (bytes) => {
        taken.push(Buffer.from(bytes))
        for (let n = 0; n < packets; n++) inlet.count()
      })
      inlet.open()
      far.end(SENT)
      const total = (): number => taken.reduce((sum, { length }) => sum + length, 0)
      const turns: number[] = []
      for (let before = total(); before < SENT.length; before = total()) {
        await turnOfEventLoop()
        if (total() > before) turns.push(total() - before)
      }
      expect(Buffer.concat(taken).equals(SENT)).toBe(true)
      // Until the first packets have come, nobody knows how long they are.
      expect(Math.max(...turns.slice(1))).toBeLessThanOrEqual(share)
      inlet.close()
    },
  )

  it('keeps what it has not taken, also when somebody else resumes the stream', async () => {
    const [near, far] = streamPair()
    const taken: Buffer[] = []
    const inlet = new Inlet(near, (bytes) => taken.push(Buffer.from(bytes)))
    inlet.open()
    far.end(SENT)
    await until(() => {
      near.resume()
      return near.readableEnded
    })
    await until(() => Buffer.concat(taken).length === SENT.length)
    expect(Buffer.concat(taken).equals(SENT)).toBe(true)
    inlet.close()
  })
})
