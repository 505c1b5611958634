import { byte, MSG, string } from '../../../src/ssh/wire.js'
import { until } from '../../helpers/bytes.js'
import { type MemoryJob, memoryJob } from '../../helpers/memory-job.js'
import { type RawSession, rawSession } from '../../helpers/session-pair.js'

const KIB = 1024
const PINGS = 20

/** Writes for ever, for whoever is patient; and takes what it gets. */
const talkative = (): MemoryJob =>
  memoryJob(async ({ stdin, stdout }) => {
    stdin.resume()
    while (stdout.writable) {
      await new Promise((resolve) => {
        if (stdout.write(Buffer.alloc(64 * KIB))) setImmediate(resolve)
        else stdout.once('drain', resolve).once('close', resolve)
      })
    }
    return { exitCode: 0 }
  })

describe('a connection that has much to do', () => {
  const sessions: RawSession[] = []
  const enter = async (): Promise<RawSession> => {
    const session = await rawSession(talkative())
    sessions.push(session)
    return session
  }
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.close()))
  })

  /** What the others have got until one has had so many answers. */
  async function whileAnswering(client: RawSession, others: () => number): Promise<number> {
    const before = others()
    const answers = (): number => client.peer.messages.filter(([type]) => type === MSG.REQUEST_FAILURE).length
    for (let count = 1; count <= PINGS; count++) {
      client.peer.send(byte(MSG.GLOBAL_REQUEST), string('are you there?'), byte(1))
      await until(() => answers() === count)
    }
    return others() - before
  }

  const dataOf = ({ peer }: RawSession): number =>
    peer.messages.filter(([type]) => type === MSG.CHANNEL_DATA).length

  it.each([
    ['32 KiB', 32 * KIB, 3],
    ['1 byte', 1, 100],
  ])('keeps no other waiting, though it takes packets of %s', async (_title, packetMax, most) => {
    const client = await enter()
    const busy = await Promise.all([enter(), enter(), enter()])
    for (const { peer } of busy) {
      const channel = await peer.open(0, 2 ** 31, packetMax)
      expect(await peer.request(channel, 'exec', string('x'))).toBe(true)
    }
    await until(() => busy.every((session) => dataOf(session) > 0))
    const packets = await whileAnswering(client, () => busy.reduce((sum, one) => sum + dataOf(one), 0))
    // Fair turns, of which an answer needs a few.
    expect(packets / PINGS).toBeLessThan(most)
  })
})
