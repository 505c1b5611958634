import fc from 'fast-check'
import { answerHello, sendClientHello } from '../../src/hello/exchange.js'
import { streamPair } from '../../src/streams/memory.js'
import { FUZZ_SEED } from '../helpers/fuzz-seed.js'
import { fixedSeedTests } from './core/fixed-seed.js'
import { HELLO_TARGETS } from './targets/hello.js'

describe('the hello, whatever the bytes', () => {
  fixedSeedTests('is taken or refused, and stays within its limits', HELLO_TARGETS)

  it('brings every job to the client, of whatever text and length', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 2_000 })
    const job = fc.record({
      id: fc.constant('a'),
      host: fc.constant('b'),
      user: fc.constant('c'),
      since: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      pids: fc.array(fc.nat(), { maxLength: 5_000 }),
      command: fc.array(text, { maxLength: 40 }),
    })
    await fc.assert(
      fc.asyncProperty(job, async (info) => {
        const [peer, stream] = streamPair()
        const asked = sendClientHello(peer, {})
        await answerHello(stream, { ok: true, job: info })
        expect((await asked).job.id).toBe('a')
        stream.destroy()
        peer.destroy()
      }),
      { numRuns: 300, seed: FUZZ_SEED },
    )
  })
})
