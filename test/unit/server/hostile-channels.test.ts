import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { MAX_CHANNELS, PACKET_RECEIVED_MAX } from '../../../src/core/limits.js'
import { boolean, byte, MSG, OPEN_FAILURE, Reader, string, uint32 } from '../../../src/ssh/wire.js'
import { until, untilSettled } from '../../helpers/bytes.js'
import { memoryInUse } from '../../helpers/memory-in-use.js'
import { echo, idle, memoryJob } from '../../helpers/memory-job.js'
import { isAbout } from '../../helpers/raw-peer.js'
import { type RawSession, rawSession, sessionPair } from '../../helpers/session-pair.js'
import { serveSockets } from '../../helpers/sockets.js'

const MIB = 2 ** 20
/** What the streams of one channel hold, on both sides of it. */
const HELD = MIB / 2

let session: RawSession
beforeEach(async () => {
  session = await rawSession(memoryJob(echo))
})
afterEach(() => session.close())

/** Asks for a channel of this type, and gives the answer. */
function ask(id: number, type: string, ...data: Buffer[]): Promise<Buffer> {
  const head = [byte(MSG.CHANNEL_OPEN), string(type), uint32(id), uint32(2 ** 32 - 1), uint32(32_768)]
  session.peer.send(...head, ...data)
  const answers = [MSG.CHANNEL_OPEN_CONFIRMATION, MSG.CHANNEL_OPEN_FAILURE]
  return session.peer.waitFor((m) => answers.some((type) => isAbout(m, type, id)))
}

const tcpTo = (port: number): Buffer[] => [string('127.0.0.1'), uint32(port), string('127.0.0.1'), uint32(1)]

/** What still works on the connection that was treated badly. */
async function expectEcho(id: number): Promise<void> {
  const channel = await session.peer.open(id)
  await session.peer.request(channel, 'exec', string('cat'))
  session.peer.send(byte(MSG.CHANNEL_DATA), uint32(channel), string('alive'))
  const answer = await session.peer.waitFor((m) => isAbout(m, MSG.CHANNEL_DATA, id))
  expect(new Reader(answer, 5).text()).toBe('alive')
}

it('a client that opens all channels that there may be and never reads holds little, and nobody up', async () => {
  const block = Buffer.alloc(65_536)
  let poured = 0
  const { port, sockets } = await serveSockets((socket) => {
    const pour = (): void => {
      do poured += block.length
      while (socket.write(block))
    }
    socket.on('drain', pour)
    pour()
  })
  const before = memoryInUse()
  session.clientStream.pause()
  for (let id = 0; id < MAX_CHANNELS; id++) {
    const head = [
      byte(MSG.CHANNEL_OPEN),
      string('direct-tcpip'),
      uint32(id),
      uint32(2 ** 32 - 1),
      uint32(32_768),
    ]
    session.peer.send(...head, ...tcpTo(port))
  }
  await until(() => sockets.length === MAX_CHANNELS)
  await untilSettled(() => poured)
  expect(memoryInUse() - before).toBeLessThan(MAX_CHANNELS * HELD)
  const pair = await sessionPair({ job: memoryJob(echo) })
  const remote = await pair.client.exec('cat', { stdin: 'alive' })
  expect((await remote.output()).stdout.toString()).toBe('alive')
  await pair.close()
  await session.close()
  await until(() => sockets.every((socket) => socket.destroyed))
})

it('numbers of channels that a client gives twice are its own affair', async () => {
  await Promise.all([session.peer.open(5), session.peer.open(5)])
  const confirmed = (): Buffer[] =>
    session.peer.messages.filter((m) => isAbout(m, MSG.CHANNEL_OPEN_CONFIRMATION, 5))
  await until(() => confirmed().length === 2)
  const [first = 0, second = 0] = confirmed().map((message) => message.readUInt32BE(5))
  await session.peer.request(first, 'exec', string('cat'))
  session.peer.send(byte(MSG.CHANNEL_CLOSE), uint32(first))
  await until(() => session.served.channels === 1)
  expect(await session.peer.request(second, 'exec', string('cat'))).toBe(true)
  await expectEcho(6)
})

it('a channel may be closed twice', async () => {
  const channel = await session.peer.open(1)
  for (let n = 0; n < 2; n++) session.peer.send(byte(MSG.CHANNEL_CLOSE), uint32(channel))
  await expectEcho(2)
})

it('a request for a channel that is closed ends the connection, and no other', async () => {
  const pair = await sessionPair({ job: memoryJob(echo) })
  const channel = await session.peer.open(1)
  session.peer.send(byte(MSG.CHANNEL_CLOSE), uint32(channel))
  session.peer.send(byte(MSG.CHANNEL_REQUEST), uint32(channel), string('exec'), boolean(true), string('x'))
  expect((await session.peer.closed)?.message).toContain(`there is no channel ${channel}`)
  const remote = await pair.client.exec('cat', { stdin: 'alive' })
  expect((await remote.output()).stdout.toString()).toBe('alive')
  await pair.close()
})

it('a path that no socket can have is refused, and a packet that is too long ends the connection alone', async () => {
  const long = `/${'p'.repeat(100_000)}`
  const answer = await ask(1, 'direct-streamlocal@openssh.com', string(long), string(''), uint32(0))
  const reader = new Reader(answer, 5)
  expect([reader.uint32(), reader.text()]).toEqual([
    OPEN_FAILURE.CONNECT_FAILED,
    expect.stringContaining("and a unix socket's may have 107"),
  ])
  const request = [string('streamlocal-forward@openssh.com'), boolean(true)]
  session.peer.send(byte(MSG.GLOBAL_REQUEST), ...request, string(long))
  await session.peer.waitFor((m) => m[0] === MSG.REQUEST_FAILURE)
  await expectEcho(2)
  const pair = await sessionPair({ job: memoryJob(echo) })
  session.peer.send(byte(MSG.GLOBAL_REQUEST), ...request, string(`/${'p'.repeat(PACKET_RECEIVED_MAX)}`))
  expect((await session.peer.closed)?.message).toContain('Bad packet length')
  const remote = await pair.client.exec('cat', { stdin: 'alive' })
  expect((await remote.output()).stdout.toString()).toBe('alive')
  await pair.close()
})

it('a connection that hangs while it is made holds nothing up, and is given up with its client', async () => {
  // A queue of one that nobody accepts from: what comes behind it gets no answer at all, listen(2).
  const script = `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
    () => { console.log(s.address().port); setTimeout(() => process.kill(process.pid, 'SIGSTOP')) })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  const queued: net.Socket[] = []
  try {
    const [line] = await once(child.stdout, 'data')
    const port = Number(String(line))
    await until(() => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8')))
    for (let n = 0; n < 10; n++) {
      queued.push(net.connect({ port, host: '127.0.0.1' }).on('error', () => undefined))
    }
    const connected = (): number => queued.filter((socket) => !socket.connecting).length
    await until(() => connected() > 0)
    expect(await untilSettled(connected)).toBeLessThan(10)
    const answer = ask(1, 'direct-tcpip', ...tcpTo(port)).catch(() => 'given up')
    await expectEcho(2)
    session.clientStream.destroy()
    expect(await answer).toBe('given up')
    await session.served.closed
  } finally {
    for (const socket of queued) socket.destroy()
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

it('a connection has so many channels and no more, which cost nobody else theirs', async () => {
  const other = await rawSession(memoryJob(idle))
  for (let id = 0; id < MAX_CHANNELS; id++) await session.peer.open(id)
  const refused = new Reader(await ask(MAX_CHANNELS, 'session'), 5)
  expect(refused.uint32()).toBe(OPEN_FAILURE.RESOURCE_SHORTAGE)
  expect(await other.peer.request(await other.peer.open(), 'exec', string('x'))).toBe(true)
  await other.close()
})
