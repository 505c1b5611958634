import fc from 'fast-check'
import { serve } from '../../src/server/serve.js'
import { boolean, byte, MSG, string, uint32 } from '../../src/ssh/wire.js'
import { streamPair } from '../../src/streams/memory.js'
import { turnOfEventLoop } from '../helpers/bytes.js'
import { connectionPair } from '../helpers/connection-pair.js'
import { failOnUncaught } from '../helpers/fail-on-uncaught.js'
import { FUZZ_SEED } from '../helpers/fuzz-seed.js'
import { echo, memoryJob } from '../helpers/memory-job.js'
import { bytes, mutation } from '../helpers/mutation.js'
import { rawPeer, sessionKeys } from '../helpers/raw-peer.js'
import { rawSession, sessionPair } from '../helpers/session-pair.js'

const keys = sessionKeys()

const number = fc.oneof(
  fc.nat(4),
  fc.constantFrom(100, 32_768, 65_536, 2 ** 21, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
  fc.nat(2 ** 32 - 1),
)
const u32 = number.map(uint32)
const word = fc.oneof(
  fc.constantFrom(
    'session',
    'exec',
    'shell',
    'env',
    'pty-req',
    'signal',
    'window-change',
    'break',
    'subsystem',
  ),
  fc.constantFrom('keepalive@openssh.com', 'no-more-sessions@openssh.com', 'tcpip-forward', 'direct-tcpip'),
  fc.constantFrom('eow@openssh.com', 'publickey', 'ssh-userauth', 'ssh-connection', '__proto__', 'TERM', ''),
)
const text = fc.oneof(
  word.map((name) => string(name)),
  bytes(100).map((data) => string(data)),
)
const field = fc.oneof(u32, text, fc.boolean().map(boolean), bytes(40))

const request = (name: string, ...data: Buffer[]): Buffer =>
  Buffer.concat([byte(MSG.CHANNEL_REQUEST), uint32(0), string(name), boolean(true), ...data])

/** Messages as clients send them. */
const sound = fc.oneof(
  fc.tuple(u32, u32, u32).map((n) => Buffer.concat([byte(MSG.CHANNEL_OPEN), string('session'), ...n])),
  fc.constant(request('exec', string('cat'))),
  fc.constant(request('shell')),
  fc.tuple(text, text).map(([name, value]) => request('env', name, value)),
  fc
    .tuple(u32, u32, bytes(30))
    .map(([a, b, modes]) => request('pty-req', string('xterm'), a, b, a, b, string(modes))),
  fc.tuple(u32, u32).map(([a, b]) => request('window-change', a, b, a, b)),
  text.map((name) => request('signal', name)),
  u32.map((length) => request('break', length)),
  fc.constant(request('eow@openssh.com')),
  bytes(3000).map((data) => Buffer.concat([byte(MSG.CHANNEL_DATA), uint32(0), string(data)])),
  bytes(300).map((data) =>
    Buffer.concat([byte(MSG.CHANNEL_EXTENDED_DATA), uint32(0), uint32(1), string(data)]),
  ),
  fc
    .nat(2 ** 22)
    .map((amount) => Buffer.concat([byte(MSG.CHANNEL_WINDOW_ADJUST), uint32(0), uint32(amount)])),
  fc
    .constantFrom(
      MSG.CHANNEL_EOF,
      MSG.CHANNEL_EOF,
      MSG.CHANNEL_SUCCESS,
      MSG.CHANNEL_FAILURE,
      MSG.CHANNEL_CLOSE,
    )
    .map((type) => Buffer.concat([byte(type), uint32(0)])),
  fc
    .tuple(text, fc.boolean())
    .map(([name, reply]) => Buffer.concat([byte(MSG.GLOBAL_REQUEST), name, boolean(reply)])),
)
/** Any type with any fields behind it. Those of a key exchange end the connection at once, so they come rarely. */
const invented = fc
  .tuple(fc.nat(255), fc.array(field, { maxLength: 6 }))
  .map(([type, fields]) => Buffer.concat([byte(type), ...fields]))

const message = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: sound }, { weight: 1, arbitrary: invented }), mutation)
  .map(([original, mutate]) => mutate(original))

/** Afterwards the same process serves as if nothing had been. */
async function expectWorking(): Promise<void> {
  const pair = await sessionPair({ job: memoryJob(echo) })
  const remote = await pair.client.exec('cat', { stdin: 'alive' })
  expect((await remote.output()).stdout.toString()).toBe('alive')
  await pair.close()
}

failOnUncaught()

describe('a server', () => {
  it('survives thousands of mutated messages of clients that have authenticated', async () => {
    let sent = 0
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 10, maxLength: 60 }), async (messages) => {
        const job = memoryJob(echo)
        const session = await rawSession(job)
        await session.peer.open()
        for (const [index, payload] of messages.entries()) {
          if (session.peer.transport.closed) break
          session.peer.send(payload)
          sent++
          if (index % 4 === 0) await turnOfEventLoop()
        }
        session.clientStream.destroy()
        const cause = await session.served.closed
        expect(cause).toMatchObject({
          code: expect.stringMatching('^(protocol-error|connection-(lost|closed))$'),
        })
        expect(session.served.channels).toBe(0)
        expect(job.processes.filter(({ terminated, stdin }) => !terminated && !stdin.destroyed)).toEqual([])
      }),
      { numRuns: 500, seed: FUZZ_SEED },
    )
    expect(sent).toBeGreaterThan(3_000)
    await expectWorking()
  }, 120_000)

  it('survives what clients may send before they authenticate', async () => {
    const authentication = fc.oneof(
      fc.array(field, { maxLength: 8 }).map((fields) => Buffer.concat([byte(50), ...fields])),
      fc
        .tuple(
          text,
          fc.constantFrom('publickey', 'password', 'none', 'hostbased', 'keyboard-interactive'),
          bytes(200),
        )
        .map(([user, method, rest]) =>
          Buffer.concat([byte(50), user, string('ssh-connection'), string(method), rest]),
        ),
      text.map((name) => Buffer.concat([byte(5), name])),
      invented,
    )
    await fc.assert(
      fc.asyncProperty(fc.array(authentication, { minLength: 1, maxLength: 20 }), async (messages) => {
        const session = await rawSession(memoryJob(echo), {}, { authenticate: false })
        for (const payload of messages) session.peer.send(payload)
        await turnOfEventLoop()
        expect(session.served.authenticated).toBe(false)
        session.clientStream.destroy()
        expect(await session.served.closed).toBeDefined()
      }),
      { numRuns: 200, seed: FUZZ_SEED },
    )
    await expectWorking()
  }, 120_000)

  it('survives a recorded conversation with bytes of it changed, missing or repeated', async () => {
    const recorded = await record()
    const change = fc.record({
      at: fc.nat(recorded.length - 1),
      remove: fc.nat(20),
      insert: bytes(20),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(4_000),
        async (changes, step) => {
          let conversation = recorded
          for (const { at, remove, insert } of changes) {
            const tail = conversation.subarray(at + remove)
            conversation = Buffer.concat([conversation.subarray(0, at), insert, tail])
          }
          const [serverStream, clientStream] = streamPair()
          clientStream.on('error', () => undefined).resume()
          const served = serve(serverStream, memoryJob(echo), { credentials: keys.server })
          for (let at = 0; at < conversation.length && !clientStream.destroyed; at += step + 1) {
            clientStream.write(conversation.subarray(at, at + step + 1))
          }
          clientStream.end()
          expect(await served.closed).toBeDefined()
          expect(served.authenticated).toBe(false)
        },
      ),
      { numRuns: 1_000, seed: FUZZ_SEED },
    )
    await expectWorking()
  }, 120_000)

  it('survives garbage, with and without an identification in front of it', async () => {
    const start = fc.constantFrom(
      '',
      'SSH-2.0-x\r\n',
      'SSH-1.99-y\n',
      'SSH-2.0-\r\n',
      '\r\n\r\n',
      'SSH-2.0-x\r\n\0\0\0',
    )
    await fc.assert(
      fc.asyncProperty(start, bytes(40_000), fc.boolean(), async (ident, garbage, hello) => {
        const [serverStream, clientStream] = streamPair()
        clientStream.on('error', () => undefined).resume()
        const served = serve(serverStream, memoryJob(echo), hello ? {} : { credentials: keys.server })
        clientStream.end(Buffer.concat([Buffer.from(ident), garbage]))
        expect(await served.closed).toBeDefined()
        expect(served.authenticated).toBe(false)
      }),
      { numRuns: 500, seed: FUZZ_SEED },
    )
    await expectWorking()
  }, 120_000)
})

describe('a client', () => {
  it('survives mutated messages of a server', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 5, maxLength: 30 }), async (messages) => {
        const pair = await connectionPair()
        const [channel] = await pair.open()
        for (const payload of messages) pair.server.transport.send(payload)
        await turnOfEventLoop()
        pair.server.stream.destroy()
        expect(await pair.client.closed).toBeDefined()
        await channel.closed
        expect(pair.client.connection.channels.size).toBe(0)
        await pair.close()
      }),
      { numRuns: 200, seed: FUZZ_SEED },
    )
  }, 120_000)
})

/** All that a client sends until it has run a command. */
async function record(): Promise<Buffer> {
  const [serverStream, clientStream] = streamPair()
  const chunks: Buffer[] = []
  serverStream.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)))
  const served = serve(serverStream, memoryJob(echo), { credentials: keys.server })
  const peer = await rawPeer(clientStream, keys.client)
  const channel = await peer.open()
  await peer.request(channel, 'exec', string('cat'))
  peer.transport.close()
  await served.closed
  return Buffer.concat(chunks)
}
