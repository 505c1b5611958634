import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SshjobError } from '../../../src/core/errors.js'
import { MAX_CHANNELS } from '../../../src/core/limits.js'
import { digest, sha256, until, writeInPieces, writeUntilStuck } from '../../helpers/bytes.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { type SessionPair, sessionPair } from '../../helpers/session-pair.js'
import {
  answerAfterEnd,
  collect,
  dial,
  echoSocket,
  exchange,
  serveSockets,
  unusedPort,
} from '../../helpers/sockets.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const MIB = 1024 * 1024
const directory = temporaryDirectory()
let pair: SessionPair

beforeEach(async () => {
  pair = await sessionPair({ job: memoryJob(idle) })
})
afterEach(() => pair.close())

const portOf = (forwarding: { address: { port?: number | undefined } }): number =>
  forwarding.address.port ?? 0
const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (e) => e,
  )

describe('openTcp', () => {
  it('connects from inside the job, and keeps one direction open after the end of the other', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const stream = await pair.client.openTcp('127.0.0.1', port)
    expect((await exchange(stream, 'x'.repeat(100_000))).toString()).toBe('got 100000')
    await until(() => pair.served.channels === 0)
  })

  it('gets what comes after the end of its input, and can still send after the other end has ended', async () => {
    const { port, sockets } = await serveSockets((socket) => socket.end('hello'))
    const stream = await pair.client.openTcp('localhost', port)
    expect((await collect(stream)).toString()).toBe('hello')
    const received = collect(sockets[0] ?? stream)
    stream.end('late')
    expect((await received).toString()).toBe('late')
    await until(() => pair.served.channels === 0)
  })

  it('makes more connections at a time than there may be sessions, and sessions besides', async () => {
    const { port } = await serveSockets(echoSocket)
    const streams = await Promise.all(
      Array.from({ length: 2 * MAX_CHANNELS }, () => pair.client.openTcp('127.0.0.1', port)),
    )
    expect(pair.served.channels).toBe(2 * MAX_CHANNELS)
    await pair.client.exec('true')
    const answers = await Promise.all(streams.map((stream, n) => exchange(stream, `${n}`)))
    expect(answers.map(String)).toEqual(streams.map((_, n) => `${n}`))
  })

  it('passes 20 MB both ways at once, unchanged', async () => {
    const { port } = await serveSockets(echoSocket)
    const data = randomBytes(20 * MIB)
    const stream = await pair.client.openTcp('127.0.0.1', port)
    const received = digest(stream)
    await writeInPieces(stream, data)
    stream.end()
    expect(await received).toBe(sha256(data))
  })

  it('waits for a reader at the other end that does not read', async () => {
    const { port, sockets } = await serveSockets((socket) => socket.pause())
    const stream = await pair.client.openTcp('127.0.0.1', port)
    const taken = await writeUntilStuck(stream, Buffer.alloc(MIB), 512 * MIB)
    expect(taken).toBeLessThan(100 * MIB)
    sockets[0]?.destroy()
    await once(stream.resume(), 'close')
  })

  it('waits for a reader at this end that does not read', async () => {
    const { port, sockets } = await serveSockets(() => undefined)
    await pair.client.openTcp('127.0.0.1', port)
    const [socket] = sockets
    if (socket === undefined) throw new Error('nobody connected')
    expect(await writeUntilStuck(socket, Buffer.alloc(MIB), 512 * MIB)).toBeLessThan(100 * MIB)
  })

  it('says why a connection could not be made', async () => {
    const port = await unusedPort()
    const error = await failureOf(pair.client.openTcp('127.0.0.1', port))
    expect(error).toMatchObject({
      code: 'channel-refused',
      message: `The other side refused to connect: No connection to 127.0.0.1:${port}: nobody listens there.`,
    })
    expect(await failureOf(pair.client.openTcp('nowhere.invalid', 80))).toMatchObject({
      code: 'channel-refused',
    })
    expect(await failureOf(pair.client.openTcp('127.0.0.1', 0))).toMatchObject({ code: 'usage' })
  })

  it('closes one connection that fails, and no other', async () => {
    const { port, sockets } = await serveSockets(echoSocket)
    const [first, second] = await Promise.all([1, 2].map(() => pair.client.openTcp('127.0.0.1', port)))
    if (first === undefined || second === undefined) throw new Error('there are two')
    first.on('error', () => undefined)
    second.on('error', () => undefined)
    await until(() => sockets.length === 2)
    sockets[0]?.resetAndDestroy()
    const gone = await Promise.race(
      [first, second].map((stream) => once(stream.resume(), 'close').then(() => stream)),
    )
    expect((await exchange(gone === first ? second : first, 'still here')).toString()).toBe('still here')
  })

  it('is aborted by its signal, before and after it is open', async () => {
    const { port } = await serveSockets(echoSocket)
    const before = new AbortController()
    const opening = pair.client.openTcp('127.0.0.1', port, { signal: before.signal })
    before.abort()
    expect(await failureOf(opening)).toMatchObject({ code: 'aborted' })
    const after = new AbortController()
    const stream = await pair.client.openTcp('127.0.0.1', port, { signal: after.signal })
    after.abort()
    expect(await failureOf(once(stream, 'end'))).toBeInstanceOf(SshjobError)
    await until(() => pair.served.channels === 0)
  })

  it('ends with the connection, with its cause', async () => {
    const { port, sockets } = await serveSockets(echoSocket)
    const stream = await pair.client.openTcp('127.0.0.1', port)
    stream.resume()
    const failure = failureOf(once(stream, 'end'))
    await until(() => sockets.length === 1)
    const closed = once(sockets[0] ?? stream, 'close')
    pair.serverStream.destroy()
    expect(await failure).toMatchObject({ code: 'connection-lost' })
    await closed
  })

  it('serves 50 at once', async () => {
    const { port } = await serveSockets(echoSocket)
    const answers = Array.from({ length: 50 }, async (_, i) => {
      const stream = await pair.client.openTcp('127.0.0.1', port)
      return exchange(stream, `number ${i} ${'x'.repeat(50_000)}`)
    })
    for (const [i, answer] of (await Promise.all(answers)).entries()) {
      expect(answer.toString()).toBe(`number ${i} ${'x'.repeat(50_000)}`)
    }
  })
})

describe('openUnix', () => {
  it('connects to a socket of the job', async () => {
    const path = join(directory(), 'in-the-job')
    await serveSockets(answerAfterEnd, path)
    const stream = await pair.client.openUnix(path)
    expect((await exchange(stream, 'abc')).toString()).toBe('got 3')
  })

  it.each([
    ['/nowhere/at/all', 'No connection to /nowhere/at/all: there is no socket.'],
    ['', 'this is no path of a socket.'],
    ['/a\0b', 'this is no path of a socket.'],
    [`/${'x'.repeat(200)}`, "and a unix socket's may have 107"],
  ])('says why it can not connect to %j', async (path, why) => {
    const error = await failureOf(pair.client.openUnix(path))
    expect(error).toMatchObject({ code: 'channel-refused', message: expect.stringContaining(why) })
  })
})

describe('forwardLocal', () => {
  it('leads from a port here to one of the job, half-close kept', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const forwarding = await pair.client.forwardLocal({ port: 0 }, { host: '127.0.0.1', port })
    expect(forwarding.address).toEqual({ host: 'localhost', port: expect.any(Number) })
    const data = randomBytes(5 * MIB)
    expect((await exchange(await dial(portOf(forwarding)), data)).toString()).toBe(`got ${data.length}`)
    await forwarding.close()
    await expect(dial(portOf(forwarding))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('leads from a unix socket here to one of the job', async () => {
    const here = join(directory(), 'here')
    const there = join(directory(), 'there')
    await serveSockets(echoSocket, there)
    await using _forwarding = await pair.client.forwardLocal({ path: here }, { path: there })
    expect((await stat(here)).mode & 0o777).toBe(0o600)
    expect((await exchange(await dial(here), 'abc')).toString()).toBe('abc')
  })

  it('tells of a connection that could not be made, closes it, and goes on', async () => {
    const path = join(directory(), 'comes-later')
    const failures: Error[] = []
    const options = { onFailure: (error: Error) => void failures.push(error) }
    const forwarding = await pair.client.forwardLocal({ port: 0 }, { path }, options)
    expect(await collect(await dial(portOf(forwarding)))).toHaveLength(0)
    expect(failures.map((error) => error.message)).toEqual([expect.stringContaining('there is no socket')])
    await serveSockets(echoSocket, path)
    expect((await exchange(await dial(portOf(forwarding)), 'abc')).toString()).toBe('abc')
  })

  it('says that a port is in use', async () => {
    const { port } = await serveSockets(echoSocket)
    const error = await failureOf(pair.client.forwardLocal({ port }, { host: 'localhost', port: 80 }))
    const message = `Port ${port} of 127.0.0.1 can't be listened on: the port is in use.`
    expect(error).toMatchObject({ code: 'unreachable', message })
  })

  it('listens no more once the connection is over', async () => {
    const path = join(directory(), 'ends-with-it')
    await pair.client.forwardLocal({ path }, { host: 'localhost', port: 80 })
    await pair.close()
    await until(() => !existsSync(path))
    const late = pair.client.forwardLocal({ path }, { host: 'localhost', port: 80 })
    expect(await failureOf(late)).toMatchObject({ code: 'connection-closed' })
  })
})

describe('forwardRemote', () => {
  it('leads from a port of the job, chosen there, to one here, half-close kept', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const forwarding = await pair.client.forwardRemote({ port: 0 }, { host: '127.0.0.1', port })
    const inTheJob = portOf(forwarding)
    expect(inTheJob).toBeGreaterThan(0)
    expect((await exchange(await dial(inTheJob), 'abcd')).toString()).toBe('got 4')
    await forwarding.close()
    await expect(dial(inTheJob)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('leads from a unix socket of the job, for its user alone, which is gone afterwards', async () => {
    const { port } = await serveSockets(echoSocket)
    const path = join(directory(), 'remote')
    const forwarding = await pair.client.forwardRemote({ path }, { host: '127.0.0.1', port })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await exchange(await dial(path), 'abc')).toString()).toBe('abc')
    await forwarding.close()
    expect(existsSync(path)).toBe(false)
  })

  it('listens on loopback only, whatever it is asked for', async () => {
    const { port } = await serveSockets(echoSocket)
    const forwarding = await pair.client.forwardRemote(
      { host: '0.0.0.0', port: 0 },
      { host: '127.0.0.1', port },
    )
    expect((await exchange(await dial(portOf(forwarding)), 'abc')).toString()).toBe('abc')
    const { listenTcp } = await import('../../../src/sockets/tcp.js')
    // An address of loopback that it would have taken as well, if it listened on all.
    const other = await listenTcp('127.0.0.2', portOf(forwarding))
    other.close()
  })

  it('closes what nobody answers here, and goes on', async () => {
    const failures: Error[] = []
    const path = join(directory(), 'answers-later')
    const forwarding = await pair.client.forwardRemote(
      { port: 0 },
      { path },
      { onFailure: (error) => void failures.push(error) },
    )
    expect(await collect(await dial(portOf(forwarding)))).toHaveLength(0)
    expect(failures).toHaveLength(1)
    await serveSockets(echoSocket, path)
    expect((await exchange(await dial(portOf(forwarding)), 'abc')).toString()).toBe('abc')
  })

  it('says that the server does not listen', async () => {
    const { port } = await serveSockets(echoSocket)
    const error = await failureOf(pair.client.forwardRemote({ port }, { host: '127.0.0.1', port }))
    expect(error).toMatchObject({
      code: 'request-refused',
      message: expect.stringContaining(`localhost:${port}`),
    })
  })

  it('ends with the connection', async () => {
    const path = join(directory(), 'ends')
    await pair.client.forwardRemote({ path }, { path: '/nowhere' })
    await pair.close()
    await until(() => !existsSync(path))
  })

  it('serves 50 connections at once', async () => {
    const { port } = await serveSockets(echoSocket)
    const forwarding = await pair.client.forwardRemote({ port: 0 }, { host: '127.0.0.1', port })
    const answers = Array.from({ length: 50 }, async (_, i) =>
      exchange(await dial(portOf(forwarding)), `number ${i}`),
    )
    const texts = (await Promise.all(answers)).map((answer) => answer.toString())
    expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => `number ${i}`))
  })
})

describe('forwardRemoteDynamic', () => {
  const port16 = (port: number): number[] => [port >> 8, port & 0xff]
  const wish = (port: number, text: string): Buffer =>
    Buffer.from([5, 1, 0, 5, 1, 0, 3, 9, ...Buffer.from('localhost'), ...port16(port), ...Buffer.from(text)])

  it('is a SOCKS server in the job, whose connections are made here, half-close kept', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const forwarding = await pair.client.forwardRemoteDynamic({ port: 0 })
    const socket = await dial(portOf(forwarding))
    const answer = await exchange(socket, wish(port, 'x'.repeat(100_000)))
    expect(answer).toEqual(
      Buffer.concat([Buffer.from([5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.from('got 100000')]),
    )
    await until(() => pair.served.channels === 0 && forwarding.connections === 0)
    await forwarding.close()
    await expect(dial(portOf(forwarding))).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('listens on a unix socket as well, and serves 50 at once', async () => {
    const { port } = await serveSockets(echoSocket)
    const path = join(directory(), 'socks')
    await using _forwarding = await pair.client.forwardRemoteDynamic({ path })
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => exchange(await dial(path), wish(port, `number ${i}`))),
    )
    expect(answers.map((answer) => answer.subarray(12).toString())).toEqual(
      Array.from({ length: 50 }, (_, i) => `number ${i}`),
    )
  })

  it('says no to what can not be had, ends that connection, and tells here', async () => {
    const failures: Error[] = []
    const onFailure = (error: Error): void => void failures.push(error)
    const forwarding = await pair.client.forwardRemoteDynamic({ port: 0 }, { onFailure })
    const socket = await dial(portOf(forwarding))
    socket.write(wish(await unusedPort(), ''))
    expect(await collect(socket)).toEqual(Buffer.from([5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0]))
    expect(failures).toEqual([expect.objectContaining({ code: 'unreachable' })])
    const other = await dial(portOf(forwarding))
    other.write('GET / HTTP/1.0\r\n\r\n')
    expect(await collect(other)).toHaveLength(0)
    await until(() => pair.served.channels === 0)
  })
})

describe('the connections of a forwarding', () => {
  it.each(['forwardLocal', 'forwardRemote'] as const)('are counted (%s)', async (name) => {
    const { port } = await serveSockets(echoSocket)
    const forwarding = await pair.client[name]({ port: 0 }, { host: '127.0.0.1', port })
    expect(forwarding.connections).toBe(0)
    const [one, two] = [await dial(portOf(forwarding)), await dial(portOf(forwarding))]
    await until(() => forwarding.connections === 2)
    one.destroy()
    await until(() => forwarding.connections === 1)
    expect((await exchange(two, 'abc')).toString()).toBe('abc')
    await until(() => forwarding.connections === 0)
  })
})
