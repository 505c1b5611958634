import { existsSync, readdirSync } from 'node:fs'
import net from 'node:net'
import { dirname } from 'node:path'
import { X11_AUTHORITY_MAX_BYTES, X11_DISPLAYS, X11_FIRST_PORT } from '../../../../src/core/limits.js'
import { forwardX11, readX11Request, type X11Request } from '../../../../src/server/forwarding/x11.js'
import { boolean, OPEN_FAILURE, Reader, string, uint32 } from '../../../../src/ssh/wire.js'
import { until } from '../../../helpers/bytes.js'
import { type ConnectionPair, connectionPair } from '../../../helpers/connection-pair.js'
import { testInside } from '../../../helpers/inside.js'
import { dial } from '../../../helpers/sockets.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const MIT = 'MIT-MAGIC-COOKIE-1'
const COOKIE = '00112233445566778899aabbccddeeff'
/** Far from the displays of others. */
const OFFSET = 40_000

const read = (protocol: string, hex: string, single = false, screen = 7): X11Request | undefined =>
  readX11Request(new Reader(Buffer.concat([boolean(single), string(protocol), string(hex), uint32(screen)])))

describe('a request for a display', () => {
  it('has a protocol, a cookie and a screen', () => {
    const cookie = Buffer.from(COOKIE, 'hex')
    expect(read(MIT, COOKIE)).toEqual({ single: false, protocol: MIT, cookie, screen: 7 })
    expect(read(MIT, COOKIE.toUpperCase(), true, 0)).toEqual({
      single: true,
      protocol: MIT,
      cookie,
      screen: 0,
    })
  })

  it('may be as long as it may be, and no longer', () => {
    const longest = 'a'.repeat(X11_AUTHORITY_MAX_BYTES)
    expect(read(longest, longest + longest)).toMatchObject({ protocol: longest })
    expect(read(`${longest}a`, COOKIE)).toBeUndefined()
    expect(read(MIT, `${longest}${longest}aa`)).toBeUndefined()
  })

  it.each(['', 'f', 'fff', 'xff', 'ffx', 'f f', '0xff', 'ff\n'])('has no cookie in %j', (hex) => {
    expect(read(MIT, hex)).toBeUndefined()
  })

  it.each(['', 'a b', ' a', 'a ', 'a\n', 'a/b'])('has no protocol in %j', (protocol) => {
    expect(read(protocol, COOKIE)).toBeUndefined()
  })
})

describe('a display in the job', () => {
  const place = temporaryDirectory()
  const { TMPDIR } = process.env
  let pair: ConnectionPair
  let opened: { type: string; data: Reader }[]
  let servers: net.Server[]

  beforeEach(async () => {
    process.env.TMPDIR = place()
    opened = []
    servers = []
    pair = await connectionPair(undefined, {
      client: {
        onChannelOpen: (type, data) => {
          opened.push({ type, data: new Reader(data.rest()) })
          return { refuse: OPEN_FAILURE.CONNECT_FAILED, message: 'no' }
        },
        onGlobalRequest: () => false,
      },
    })
  })
  afterEach(async () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    await pair.close()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  })

  /** Someone else listens there, or did already. */
  function occupy(port: number): Promise<void> {
    const server = net.createServer()
    return new Promise((resolve) => {
      server.once('error', () => resolve())
      server.listen(port, '127.0.0.1', () => {
        servers.push(server)
        resolve()
      })
    })
  }

  function begin(options: { single?: boolean; offset?: number } = {}) {
    const { single = false, offset = OFFSET } = options
    const request = { single, protocol: MIT, cookie: Buffer.from(COOKIE, 'hex'), screen: 3 }
    return forwardX11(pair.server.connection, request, testInside(), { offset, localhost: true })
  }
  const numberOf = (environment: ReadonlyMap<string, Buffer>): number =>
    Number(/^localhost:(\d+)\.3$/.exec(environment.get('DISPLAY')?.toString() ?? '')?.[1])

  it.each([true, false])('tells who connects; single: %s', async (single) => {
    const forward = await begin({ single })
    const port = X11_FIRST_PORT + numberOf(forward.environment)
    const socket = await dial(port)
    await until(() => socket.readableEnded || socket.destroyed)
    expect(opened.map(({ type }) => type)).toEqual(['x11'])
    const data = opened[0]?.data
    expect(['127.0.0.1', '::1']).toContain(data?.text())
    expect(data?.uint32()).toBe(socket.localPort)
    const again = dial(port).then(
      () => true,
      () => false,
    )
    expect(await again).toBe(!single)
    await forward.close()
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(existsSync(dirname(forward.environment.get('XAUTHORITY')?.toString() ?? ''))).toBe(false)
  })

  it('is the first that is free', async () => {
    const first = await begin()
    const number = numberOf(first.environment)
    const second = await begin({ offset: number })
    expect(numberOf(second.environment)).toBeGreaterThan(number)
    await Promise.all([first.close(), second.close()])
  })

  it('is refused where none is free, and leaves nothing behind', async () => {
    for (let n = 0; n < X11_DISPLAYS; n++) await occupy(X11_FIRST_PORT + OFFSET + n)
    await expect(begin()).rejects.toMatchObject({
      code: 'unreachable',
      message: 'No display is free for X11.',
    })
    expect(readdirSync(place())).toEqual([])
  })

  it('is refused for what is wrong with a port but that it is taken', async () => {
    await occupy(65_535)
    const failed = begin({ offset: 65_535 - X11_FIRST_PORT })
    await expect(failed).rejects.not.toMatchObject({ message: 'No display is free for X11.' })
    expect(readdirSync(place())).toEqual([])
  })
})
