import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { IncomingChannels } from '../../src/client/forwarding/remote.js'
import { boolean, byte, MSG, OPEN_FAILURE, Reader, string, uint32 } from '../../src/ssh/wire.js'
import { turnOfEventLoop, until } from '../helpers/bytes.js'
import { type ConnectionPair, connectionPair } from '../helpers/connection-pair.js'
import { failOnUncaught } from '../helpers/fail-on-uncaught.js'
import { FUZZ_SEED } from '../helpers/fuzz-seed.js'
import { echo, idle, memoryJob } from '../helpers/memory-job.js'
import { bytes, mutation } from '../helpers/mutation.js'
import { isAbout } from '../helpers/raw-peer.js'
import { type RawSession, rawSession, sessionPair } from '../helpers/session-pair.js'
import { dial, echoSocket, serveSockets, type TestServer, unusedPort } from '../helpers/sockets.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'
import { setupPacket } from '../helpers/x11.js'

const MIT = 'MIT-MAGIC-COOKIE-1'
const directory = temporaryDirectory()
failOnUncaught()

/** What this process has open that may have been made for a client. */
function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false // the folder itself, which is closed by now
    }
  }).length
}

const u32 = fc.oneof(fc.nat(8), fc.constantFrom(32_768, 2 ** 21, 2 ** 31, 2 ** 32 - 1)).map(uint32)
const mutated = (sound: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc.tuple(sound, mutation).map(([message, mutate]) => mutate(message))

const channelOpen = (type: string, ...fields: fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.integer({ min: 10, max: 20 }), u32, u32, ...fields)
    .map(([id, window, packet, ...data]) =>
      Buffer.concat([byte(MSG.CHANNEL_OPEN), string(type), uint32(id), window, packet, ...data]),
    )
const globalRequest = (name: string, ...fields: fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.boolean(), ...fields)
    .map(([reply, ...data]) =>
      Buffer.concat([byte(MSG.GLOBAL_REQUEST), string(name), boolean(reply), ...data]),
    )
const channelRequest = (name: string, ...fields: fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.nat(2), fc.boolean(), ...fields)
    .map(([channel, reply, ...data]) =>
      Buffer.concat([byte(MSG.CHANNEL_REQUEST), uint32(channel), string(name), boolean(reply), ...data]),
    )
const oneOf = (...texts: (string | Buffer)[]): fc.Arbitrary<Buffer> =>
  fc.oneof(fc.constantFrom(...texts).map(string), bytes(30).map(string))

/** Data and ends for the channels that may have been opened meanwhile. */
const onChannel = fc
  .tuple(fc.nat(12), fc.constantFrom(MSG.CHANNEL_DATA, MSG.CHANNEL_EOF, MSG.CHANNEL_CLOSE), bytes(200))
  .map(([id, type, data]) => {
    const payload = type === MSG.CHANNEL_DATA ? [string(data)] : []
    // Neither that of the program which has to go on, nor one that is not there: that would be the end.
    return { id: id + 2, message: Buffer.concat([byte(type), uint32(id + 2), ...payload]) }
  })

/** The server's number of each channel that it has confirmed and we have not closed. */
function confirmed({ peer }: RawSession, closed: ReadonlySet<number>): Set<number> {
  const numbers = peer.messages
    .filter(([type]) => type === MSG.CHANNEL_OPEN_CONFIRMATION)
    .map((message) => message.readUInt32BE(5))
  return new Set(numbers.filter((id) => !closed.has(id)))
}

describe('a server that is asked to forward', () => {
  it('survives mutated requests: the others go on, and nothing stays open', async () => {
    const { port } = await serveSockets(echoSocket)
    const closedPort = await unusedPort()
    const socket = join(directory(), 'echo')
    await serveSockets(echoSocket, socket)
    const ports = fc.constantFrom(port, closedPort, 0, 65_535, 65_536).map(uint32)
    const listenAt = fc.nat(3).map((n) => string(join(directory(), `l${n}`)))
    const sound = fc.oneof(
      channelOpen('direct-tcpip', oneOf('127.0.0.1'), ports, oneOf('127.0.0.1'), u32),
      channelOpen('direct-streamlocal@openssh.com', oneOf(socket, '/missing'), oneOf(''), u32),
      globalRequest('tcpip-forward', oneOf('localhost', '127.0.0.1', ''), fc.constant(uint32(0))),
      globalRequest('cancel-tcpip-forward', oneOf('localhost'), ports),
      globalRequest('streamlocal-forward@openssh.com', listenAt),
      globalRequest('cancel-streamlocal-forward@openssh.com', listenAt),
      channelRequest('auth-agent-req@openssh.com'),
      channelRequest('x11-req', fc.boolean().map(boolean), oneOf(MIT), oneOf('00ff'), u32),
    )
    const step = fc.oneof(
      { weight: 4, arbitrary: mutated(sound).map((message) => ({ message, id: undefined })) },
      { weight: 1, arbitrary: onChannel },
    )
    const bystander = await sessionPair({ job: memoryJob(echo) })
    const before = openSockets()
    let alive = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        // Without it, a changed address would be looked up, or connected to.
        const permitOpen = [`127.0.0.1:${port}`, `127.0.0.1:${closedPort}`, socket, '/missing']
        const session = await rawSession(memoryJob(echo), { permitOpen, permitListen: ['*:0', ...listens()] })
        const { peer } = session
        const program = await peer.open(1)
        await peer.request(program, 'exec', string('cat'))
        await peer.open(2)
        const closed = new Set<number>()
        for (const { message, id } of steps) {
          if (peer.transport.closed) break
          if (id !== undefined && !confirmed(session, closed).has(id)) continue
          if (id !== undefined && message[0] === MSG.CHANNEL_CLOSE) closed.add(id)
          peer.send(message)
          await turnOfEventLoop()
        }
        if (!peer.transport.closed) {
          peer.send(byte(MSG.CHANNEL_DATA), uint32(program), string('still here'))
          const answer = peer.waitFor((m) => isAbout(m, MSG.CHANNEL_DATA, 1))
          // What was sent last may still be a breach of protocol.
          const text = await answer.then(
            (m) => new Reader(m, 5).text(),
            () => undefined,
          )
          if (text !== undefined) alive++
          expect([undefined, 'still here']).toContain(text)
        }
        await session.close()
        expect(session.served.channels).toBe(0)
      }),
      { numRuns: 150, seed: FUZZ_SEED },
    )
    expect(alive).toBeGreaterThan(20)
    await until(() => openSockets() <= before)
    expect(readdirSync(directory())).toEqual(['echo'])
    const remote = await bystander.client.exec('cat', { stdin: 'alive' })
    expect((await remote.output()).stdout.toString()).toBe('alive')
    await bystander.close()
  }, 120_000)

  const listens = (): string[] => [0, 1, 2, 3].map((n) => join(directory(), `l${n}`))
})

describe("a client's SOCKS server", () => {
  it('survives mutated requests: each is answered or ended, and nothing stays open', async () => {
    const { port } = await serveSockets(echoSocket)
    const pair = await sessionPair({
      job: memoryJob(idle),
      serve: { permitOpen: [`127.0.0.1:${port}`, `localhost:${port}`] },
    })
    const [here, inTheJob] = [
      await pair.client.forwardDynamic({ port: 0 }),
      await pair.client.forwardRemoteDynamic({ port: 0 }),
    ]
    const before = openSockets()
    const port16 = [port >> 8, port & 0xff]
    const name = [...Buffer.from('localhost')]
    const sound = fc.constantFrom(
      [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, ...port16, 65],
      [5, 2, 0, 2, 5, 1, 0, 3, name.length, ...name, ...port16],
      [5, 1, 0, 5, 1, 0, 4, ...Array<number>(16).fill(0), ...port16],
      [4, 1, ...port16, 127, 0, 0, 1, 0],
      [4, 1, ...port16, 0, 0, 0, 1, 109, 101, 0, ...name, 0, 66, 67],
    )
    const wish = fc.oneof(
      { weight: 4, arbitrary: mutated(sound.map((list) => Buffer.from(list))) },
      { weight: 1, arbitrary: bytes(3_000) },
    )
    const say = async (to: number, data: Buffer): Promise<void> => {
      const socket = await dial(to)
      socket.resume()
      socket.end(data)
      await until(() => socket.destroyed || socket.readableEnded)
      socket.destroy()
    }
    await fc.assert(
      fc.asyncProperty(wish, async (data) => {
        await say(here.address.port ?? 0, data)
        // Whole requests would be connected to from here, wherever a changed one leads.
        await say(inTheJob.address.port ?? 0, data.subarray(0, 7))
      }),
      { numRuns: 500, seed: FUZZ_SEED },
    )
    await until(() => openSockets() <= before && pair.served.channels === 0)
    expect([here.connections, inTheJob.connections]).toEqual([0, 0])
    await pair.close()
  }, 120_000)
})

describe('a client whose server opens channels', () => {
  /** A server that says what it likes, to a client that has asked for all there is. */
  async function begin(port: number): Promise<{ pair: ConnectionPair; cookie: Buffer }> {
    const incoming = new IncomingChannels()
    const refuse = { refuse: OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE, message: 'no' }
    const pair = await connectionPair(undefined, {
      server: { onChannelOpen: () => refuse, onGlobalRequest: () => true },
      client: {
        onChannelOpen: (type, data) => incoming.open(type, data) ?? refuse,
        onGlobalRequest: () => false,
      },
    })
    const { connection } = pair.client
    const to = { host: '127.0.0.1', port }
    await incoming.forward(connection, { port: 4_711 }, to, {})
    await incoming.forward(connection, { path: '/a' }, to, {})
    await incoming.forward(connection, { port: 4_712 }, 'socks', {})
    incoming.allowAgent(join(directory(), 'no-agent'))
    const allowed = await incoming.allowDisplay({
      trusted: true,
      display: `127.0.0.1:${port - 6_000}`,
      authorityFile: '/dev/null',
    })
    const cookie = Buffer.from(new Reader(allowed.request[2] ?? Buffer.alloc(0)).text(), 'hex')
    return { pair, cookie }
  }

  /** On a port that a display may have. */
  async function serveDisplay(): Promise<TestServer> {
    const display = await serveSockets(echoSocket)
    return display.port < 6_000 ? serveDisplay() : display
  }

  it('survives mutated ones, and nothing stays open', async () => {
    const { port } = await serveDisplay()
    const address = fc.constant(string('localhost'))
    const sound = fc.oneof(
      channelOpen(
        'forwarded-tcpip',
        address,
        fc.constantFrom(4_711, 4_712, 1).map(uint32),
        oneOf('::1'),
        u32,
      ),
      channelOpen('forwarded-streamlocal@openssh.com', oneOf('/a'), oneOf('')),
      channelOpen('auth-agent@openssh.com'),
      channelOpen('x11', oneOf('127.0.0.1'), u32),
      channelOpen('session'),
    )
    const before = openSockets()
    await fc.assert(
      fc.asyncProperty(fc.array(mutated(sound), { minLength: 1, maxLength: 10 }), async (messages) => {
        const { pair } = await begin(port)
        for (const message of messages) pair.server.transport.send(message)
        await turnOfEventLoop()
        pair.server.stream.destroy()
        expect(await pair.client.closed).toBeDefined()
        expect(pair.client.connection.channels.size).toBe(0)
        await pair.close()
      }),
      { numRuns: 100, seed: FUZZ_SEED },
    )
    await until(() => openSockets() <= before)
  }, 120_000)

  it('lets a program of X11 in if its first packet has the cookie, and ends every other', async () => {
    const { port, sockets } = await serveDisplay()
    const { pair, cookie } = await begin(port)
    const order = fc.constantFrom<'B' | 'l'>('B', 'l')
    const protocol = fc.constantFrom(MIT, 'XDM-AUTHORIZATION-1', '')
    const packet = fc.oneof(
      {
        weight: 4,
        arbitrary: mutated(fc.tuple(order, protocol).map(([o, p]) => setupPacket(o, p, cookie))),
      },
      { weight: 1, arbitrary: bytes(200) },
    )
    const counts = { letIn: 0, ended: 0 }
    const say = async (data: Buffer): Promise<Buffer> => {
      const channel = await pair.server.connection.open('x11', string('127.0.0.1'), uint32(1))
      const chunks: Buffer[] = []
      channel.input.on('data', (chunk: Buffer) => void chunks.push(chunk))
      channel.output.on('error', () => undefined)
      channel.output.end(data)
      await channel.closed
      return Buffer.concat(chunks)
    }
    await fc.assert(
      fc.asyncProperty(packet, async (data) => {
        const connections = sockets.length
        const answer = await say(data)
        counts[answer.length > 0 ? 'letIn' : 'ended']++
        if (answer.length > 0) expect(data.includes(cookie) && data.includes(MIT)).toBe(true)
        expect(sockets.length - connections).toBe(answer.length > 0 ? 1 : 0)
      }),
      { numRuns: 400, seed: FUZZ_SEED },
    )
    expect(Math.min(counts.letIn, counts.ended)).toBeGreaterThan(50)
    expect(await say(setupPacket('l', MIT, cookie))).toEqual(setupPacket('l', '', Buffer.alloc(0)))
    expect(pair.client.connection.channels.size).toBe(0)
    await pair.close()
  }, 120_000)
})
