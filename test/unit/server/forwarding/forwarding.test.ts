import { existsSync, readFileSync, statSync } from 'node:fs'
import fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { deferred } from '../../../../src/core/deferred.js'
import { MAX_FORWARD_LISTENERS, WAITING_REQUESTS_MAX } from '../../../../src/core/limits.js'

import { boolean, byte, MSG, OPEN_FAILURE, Reader, string, uint32 } from '../../../../src/ssh/wire.js'
import { type ServeOptions, serve } from '../../../../src/starter/serve.js'
import { streamPair } from '../../../../src/streams/memory.js'
import { until, untilSettled } from '../../../helpers/bytes.js'
import { echo, idle, type MemoryJob, memoryJob } from '../../../helpers/memory-job.js'
import { isAbout } from '../../../helpers/raw-peer.js'
import { type RawSession, rawSession } from '../../../helpers/session-pair.js'
import { deafPort, dial, echoSocket, serveSockets, unusedPort } from '../../../helpers/sockets.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const directory = temporaryDirectory()
let job: MemoryJob
let session: RawSession

async function begin(options: ServeOptions = {}): Promise<void> {
  job = memoryJob(idle)
  session = await rawSession(job, options)
}

afterEach(() => session.close())

/** Asks for a channel of this type, as number `id`, and gives the answer. */
function ask(id: number, type: string, ...data: Buffer[]): Promise<Buffer> {
  const head = [byte(MSG.CHANNEL_OPEN), string(type), uint32(id), uint32(2 ** 21), uint32(32_768)]
  session.peer.send(...head, ...data)
  const answers = [MSG.CHANNEL_OPEN_CONFIRMATION, MSG.CHANNEL_OPEN_FAILURE]
  return session.peer.waitFor((m) => answers.some((type) => isAbout(m, type, id)))
}

const askTcp = (id: number, host: string, port: number): Promise<Buffer> =>
  ask(id, 'direct-tcpip', string(host), uint32(port), string('127.0.0.1'), uint32(1))

function readFailure(message: Buffer): { reason: number; sentence: string } {
  const reader = new Reader(message, 5)
  return { reason: reader.uint32(), sentence: reader.text() }
}

function request(name: string, ...data: Buffer[]): void {
  session.peer.send(byte(MSG.GLOBAL_REQUEST), string(name), boolean(true), ...data)
}

/** Answers to global requests, in their order, as soon as there are so many. */
async function answers(count: number): Promise<Buffer[]> {
  const all = (): Buffer[] =>
    session.peer.messages.filter(([type]) => type === MSG.REQUEST_SUCCESS || type === MSG.REQUEST_FAILURE)
  await until(() => all().length >= count)
  return all()
}

describe('a channel into the job', () => {
  it('is confirmed once the connection is made, and refused with a sentence where it can not be', async () => {
    await begin()
    const { port } = await serveSockets(echoSocket)
    expect((await askTcp(1, '127.0.0.1', port))[0]).toBe(MSG.CHANNEL_OPEN_CONFIRMATION)
    const closed = await unusedPort()
    expect(readFailure(await askTcp(2, '127.0.0.1', closed))).toEqual({
      reason: OPEN_FAILURE.CONNECT_FAILED,
      sentence: `No connection to 127.0.0.1:${closed}: nobody listens there.`,
    })
  })

  it.each([
    ['no host', '', 80, 'this is no name of a host'],
    ['a host with a NUL byte', 'a\0b', 80, 'this is no name of a host'],
    ['port 0', 'localhost', 0, '0 is no port'],
    ['a port past 65535', 'localhost', 65_536, '65536 is no port'],
  ])('is refused for %s', async (_title, host, port, sentence) => {
    await begin()
    expect(readFailure(await askTcp(1, host, port))).toEqual({
      reason: OPEN_FAILURE.CONNECT_FAILED,
      sentence,
    })
  })

  it('is prohibited where the options say so', async () => {
    await begin({ forwarding: 'remote' })
    const path = [string('/a'), string(''), uint32(0)]
    for (const answer of [await askTcp(1, 'a', 1), await ask(2, 'direct-streamlocal@openssh.com', ...path)]) {
      expect(readFailure(answer)).toEqual({
        reason: OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED,
        sentence: "the job's starter allows no local forwarding",
      })
    }
  })

  it('is refused for a path that is not UTF-8, which would name another file', async () => {
    await begin()
    const answer = await ask(
      1,
      'direct-streamlocal@openssh.com',
      string(Buffer.of(47, 255)),
      string(''),
      uint32(0),
    )
    expect(readFailure(answer).sentence).toBe('this is no path of a socket')
  })

  it('is answered apart from others, which need not wait for it', async () => {
    await begin()
    const { port } = await serveSockets(echoSocket)
    const order: number[] = []
    const note = (id: number) => (answer: Buffer) => order.push(id) && answer
    const slow = askTcp(1, 'localhost', port).then(note(1))
    const fast = ask(2, 'session').then(note(2))
    await Promise.all([slow, fast])
    expect(order).toEqual([2, 1])
  })

  it('that is still being made when the connection ends is given up', async () => {
    await begin()
    const port = await deafPort()
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    const before = await untilSettled(sockets)
    void askTcp(1, '127.0.0.1', port).catch(() => undefined)
    await until(() => sockets() === before + 1)
    await session.close()
    expect(await untilSettled(sockets)).toBe(before)
  })

  it('that ends too early breaks the protocol, for this client alone', async () => {
    await begin()
    const other = await rawSession(memoryJob(echo))
    session.peer.send(
      byte(MSG.CHANNEL_OPEN),
      string('direct-tcpip'),
      uint32(1),
      uint32(1),
      uint32(1),
      uint32(9),
    )
    expect((await session.peer.closed)?.message).toContain('the packet ends too early')
    expect(await other.peer.request(await other.peer.open(), 'exec', string('x'))).toBe(true)
    await other.close()
  })
})

describe('global requests', () => {
  it('are answered in their order, though some take longer', async () => {
    await begin()
    request('tcpip-forward', string(''), uint32(0))
    request('keepalive@openssh.com')
    request('unheard-of')
    const [port, keepalive, unknown] = await answers(3)
    expect(port).toHaveLength(5)
    expect(keepalive).toEqual(byte(MSG.REQUEST_SUCCESS))
    expect(unknown).toEqual(byte(MSG.REQUEST_FAILURE))
  })

  it('for what is listened on already, or by nobody, fail; what was cancelled is free again', async () => {
    await begin()
    const path = join(directory(), 'twice')
    request('streamlocal-forward@openssh.com', string(path))
    request('streamlocal-forward@openssh.com', string(path))
    request('cancel-streamlocal-forward@openssh.com', string(path))
    request('cancel-streamlocal-forward@openssh.com', string(path))
    request('streamlocal-forward@openssh.com', string(path))
    request('cancel-tcpip-forward', string(''), uint32(1))
    request('tcpip-forward', string(''), uint32(65_536))
    const types = (await answers(7)).map(([type]) => type === MSG.REQUEST_SUCCESS)
    expect(types).toEqual([true, false, true, false, true, false, false])
  })

  it('are limited in what they listen on', async () => {
    await begin()
    for (let i = 0; i <= MAX_FORWARD_LISTENERS; i++) {
      request('streamlocal-forward@openssh.com', string(join(directory(), `l${i}`)))
    }
    const types = (await answers(MAX_FORWARD_LISTENERS + 1)).map(([type]) => type)
    expect(types.filter((type) => type === MSG.REQUEST_FAILURE)).toHaveLength(1)
    expect(types.at(-1)).toBe(MSG.REQUEST_FAILURE)
    await session.close()
    await until(() => !existsSync(join(directory(), 'l0')))
  })

  it('are refused where the options say so', async () => {
    await begin({ permitListen: ['8080'] })
    request('tcpip-forward', string(''), uint32(0))
    request('streamlocal-forward@openssh.com', string('/a'))
    expect((await answers(2)).map(([type]) => type)).toEqual([MSG.REQUEST_FAILURE, MSG.REQUEST_FAILURE])
  })

  it('that ends too early breaks the protocol', async () => {
    await begin()
    request('tcpip-forward', uint32(100))
    expect((await session.peer.closed)?.message).toContain('the packet ends too early')
  })
})

describe("a session's agent and display", () => {
  const cookie = '00112233445566778899aabbccddeeff'
  const x11 = [boolean(false), string('MIT-MAGIC-COOKIE-1'), string(cookie), uint32(1)]

  it('are there before the command that was sent behind the requests, and gone with the session', async () => {
    await begin()
    const { peer } = session
    const channel = await peer.open()
    const say = (name: string, ...data: Buffer[]): void =>
      peer.send(byte(MSG.CHANNEL_REQUEST), uint32(channel), string(name), boolean(true), ...data)
    say('auth-agent-req@openssh.com')
    say('x11-req', ...x11)
    say('env', string('AFTER'), string('yes'))
    say('exec', string('x'))
    await until(() => job.processes.length === 1)
    const environment = job.processes[0]?.request.environment
    const text = (name: string): string => environment?.get(name)?.toString() ?? ''
    expect(text('AFTER')).toBe('yes')
    expect(text('DISPLAY')).toMatch(/^localhost:\d+\.1$/)
    expect(statSync(text('XAUTHORITY')).mode & 0o777).toBe(0o600)
    expect(readFileSync(text('XAUTHORITY')).includes(Buffer.from(cookie, 'hex'))).toBe(true)
    expect(statSync(dirname(text('SSH_AUTH_SOCK'))).mode & 0o777).toBe(0o700)

    await dial(text('SSH_AUTH_SOCK'))
    const opened = await peer.waitFor((m) => m[0] === MSG.CHANNEL_OPEN)
    expect(new Reader(opened, 1).text()).toBe('auth-agent@openssh.com')
    await dial(6000 + Number(/:(\d+)/.exec(text('DISPLAY'))?.[1]))
    await peer.waitFor((m) => m[0] === MSG.CHANNEL_OPEN && new Reader(m, 1).text() === 'x11')

    peer.send(byte(MSG.CHANNEL_CLOSE), uint32(channel))
    await until(() => !existsSync(dirname(text('SSH_AUTH_SOCK'))) && !existsSync(dirname(text('XAUTHORITY'))))
  })

  it('are where the server has put them, whatever the client sets before or behind', async () => {
    await begin()
    const { peer } = session
    const channel = await peer.open()
    const names = ['SSH_AUTH_SOCK', 'DISPLAY', 'XAUTHORITY']
    const lie = () =>
      Promise.all(names.map((name) => peer.request(channel, 'env', string(name), string('a lie'))))
    await lie()
    expect(await peer.request(channel, 'auth-agent-req@openssh.com')).toBe(true)
    expect(await peer.request(channel, 'x11-req', ...x11)).toBe(true)
    await lie()
    await peer.request(channel, 'exec', string('x'))
    for (const name of names) {
      expect(job.processes[0]?.request.environment.get(name)?.toString()).not.toBe('a lie')
    }
    // Without forwarding they are the client's to say: a display of the job's own machine, for one.
    const another = await peer.open(5)
    await peer.request(another, 'env', string('DISPLAY'), string(':0'))
    await peer.request(another, 'exec', string('x'))
    expect(job.processes[1]?.request.environment.get('DISPLAY')?.toString()).toBe(':0')
  })

  it('are had once, and not after the start', async () => {
    await begin()
    const channel = await session.peer.open()
    const ask = (name: string, ...data: Buffer[]): Promise<boolean> =>
      session.peer.request(channel, name, ...data)
    expect(await ask('auth-agent-req@openssh.com')).toBe(true)
    expect(await ask('auth-agent-req@openssh.com')).toBe(false)
    expect(await ask('x11-req', ...x11)).toBe(true)
    expect(await ask('x11-req', ...x11)).toBe(false)
    const another = await session.peer.open(5)
    await session.peer.request(another, 'exec', string('x'))
    expect(await session.peer.request(another, 'auth-agent-req@openssh.com')).toBe(false)
    expect(await session.peer.request(another, 'x11-req', ...x11)).toBe(false)
  })

  it('of one connection only is closed to the next', async () => {
    await begin()
    const channel = await session.peer.open()
    await session.peer.request(channel, 'x11-req', boolean(true), ...x11.slice(1))
    await session.peer.request(channel, 'exec', string('x'))
    const display = job.processes[0]?.request.environment.get('DISPLAY')?.toString() ?? ''
    const port = 6000 + Number(/:(\d+)/.exec(display)?.[1])
    await dial(port)
    await session.peer.waitFor((m) => m[0] === MSG.CHANNEL_OPEN)
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it.each([
    ['a cookie that is not hexadecimal', [boolean(false), string('MIT'), string('xyz'), uint32(0)]],
    ['no cookie', [boolean(false), string('MIT'), string(''), uint32(0)]],
    ['a protocol that is no name', [boolean(false), string('a b'), string('00'), uint32(0)]],
    ['a cookie of 4 KiB', [boolean(false), string('MIT'), string('00'.repeat(4096)), uint32(0)]],
  ])('is refused for %s', async (_title, data) => {
    await begin()
    expect(await session.peer.request(await session.peer.open(), 'x11-req', ...data)).toBe(false)
  })

  it('are refused where nothing may be forwarded', async () => {
    await begin({ forwarding: 'none' })
    const channel = await session.peer.open()
    expect(await session.peer.request(channel, 'auth-agent-req@openssh.com')).toBe(false)
    expect(await session.peer.request(channel, 'x11-req', ...x11)).toBe(false)
  })

  it('are not waited for by more requests than a session has', async () => {
    await begin()
    const made = deferred<string>()
    const making = jest.spyOn(fs, 'mkdtemp').mockReturnValue(made.promise)
    const channel = await session.peer.open()
    const say = (name: string): void =>
      session.peer.send(byte(MSG.CHANNEL_REQUEST), uint32(channel), string(name), boolean(false))
    say('auth-agent-req@openssh.com')
    for (let i = 0; i <= WAITING_REQUESTS_MAX; i++) say('unheard-of')
    expect((await session.peer.closed)?.message).toContain('too many requests wait')
    making.mockRestore()
    // Nobody may have got as far as to wait for it.
    made.promise.catch(() => undefined)
    made.reject(new Error('no room'))
  })

  it('make a broken request behind them end the connection', async () => {
    await begin()
    const channel = await session.peer.open()
    for (const name of ['auth-agent-req@openssh.com', 'exec']) {
      session.peer.send(byte(MSG.CHANNEL_REQUEST), uint32(channel), string(name), boolean(true))
    }
    expect((await session.peer.closed)?.message).toContain('the packet ends too early')
  })
})

it('an option that is wrong is refused before anything begins', async () => {
  await begin()
  const [stream] = streamPair()
  expect(() => serve(stream, job, { permitOpen: ['80'] })).toThrow("'80' permits nothing")
  stream.destroy()
})
