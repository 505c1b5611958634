import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import { SshjobError } from '../../src/core/errors.js'
import { answerHello, receiveClientHello, sendClientHello } from '../../src/hello/exchange.js'
import { streamPair } from '../../src/streams/memory.js'
import { FUZZ_SEED } from '../helpers/fuzz-seed.js'

const EVENTS = ['data', 'readable', 'end', 'close', 'error', 'finish', 'drain']
const client = Buffer.from(
  'sshjob-hello/1 {"publicKey":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0=","capability":"x"}\n',
)
const server = Buffer.from(
  'sshjob-hello/1 {"ok":true,"job":{"id":"a","host":"b","pids":[1],"user":"c","since":"2024-05-01","command":["d"]}}\n',
)

/** A good line, some of whose bytes are changed, dropped, or doubled, with anything behind it. */
function mutated(line: Buffer): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.nat(line.length),
    drop: fc.nat(3),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.string({ maxLength: 4 }).map((text) => Buffer.from(text)),
    ),
  })
  return fc
    .tuple(fc.array(change, { maxLength: 4 }), fc.uint8Array({ maxLength: 40 }))
    .map(([changes, rest]) => {
      const bytes = changes.reduce(
        (now, { at, drop, insert }) => Buffer.concat([now.subarray(0, at), insert, now.subarray(at + drop)]),
        line,
      )
      return Buffer.concat([bytes, rest])
    })
}

function anything(line: Buffer): fc.Arbitrary<Buffer> {
  const json = fc.json().map((text) => Buffer.from(`sshjob-hello/1 ${text}\n`))
  const garbage = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  const long = fc
    .nat(40_000)
    .map((length) => Buffer.concat([line.subarray(0, 30), Buffer.alloc(length, 0x61)]))
  return fc.oneof({ weight: 4, arbitrary: mutated(line) }, json, garbage, long)
}

const listeners = (stream: Duplex): number[] => EVENTS.map((event) => stream.listenerCount(event))

/** Sends the bytes in pieces to a side that expects a hello, and checks what must hold whatever they are. */
async function meet(
  bytes: Buffer,
  cuts: number[],
  side: (stream: Duplex) => Promise<unknown>,
): Promise<'taken' | 'refused'> {
  const [peer, stream] = streamPair()
  peer.on('error', () => undefined)
  const before = listeners(stream)
  const outcome = side(stream).then(
    () => 'taken' as const,
    (error: unknown) => {
      expect(error).toBeInstanceOf(SshjobError)
      return 'refused' as const
    },
  )
  let at = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut > at && cut < bytes.length) {
      peer.write(bytes.subarray(at, cut))
      await new Promise(setImmediate)
      at = cut
    }
  }
  peer.end(bytes.subarray(at))
  const result = await outcome
  expect(listeners(stream)).toEqual(before)
  if (result === 'taken') {
    const rest: Buffer[] = []
    for await (const chunk of stream) rest.push(chunk)
    expect(Buffer.concat(rest)).toEqual(bytes.subarray(bytes.indexOf('\n') + 1))
  }
  stream.destroy()
  peer.destroy()
  return result
}

describe('the hello, whatever the bytes', () => {
  const cuts = fc.array(fc.nat(200), { maxLength: 5 })

  it('never fails with anything but an SshjobError, takes no byte too many, and leaves no listener: the server', async () => {
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(anything(client), cuts, async (bytes, at) => {
        seen.add(await meet(bytes, at, (stream) => receiveClientHello(stream)))
      }),
      { numRuns: 4_000, seed: FUZZ_SEED },
    )
    expect([...seen].sort()).toEqual(['refused', 'taken'])
  })

  it('never fails with anything but an SshjobError, takes no byte too many, and leaves no listener: the client', async () => {
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(anything(server), cuts, async (bytes, at) => {
        seen.add(await meet(bytes, at, (stream) => sendClientHello(stream, {})))
      }),
      { numRuns: 4_000, seed: FUZZ_SEED },
    )
    expect([...seen].sort()).toEqual(['refused', 'taken'])
  })

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
