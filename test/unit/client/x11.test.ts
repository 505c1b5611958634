import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { findCookie } from '../../../src/client/forwarding/xauthority.js'
import type { RemoteProcess } from '../../../src/client/types.js'
import { encodeXauthority } from '../../../src/server/forwarding/xauthority.js'
import { until } from '../../helpers/bytes.js'
import { type SessionPair, sessionPair } from '../../helpers/session-pair.js'
import { collect, dial, serveSockets } from '../../helpers/sockets.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { setupPacket } from '../../helpers/x11.js'

const MIT = 'MIT-MAGIC-COOKIE-1'
const REAL = Buffer.from('the real cookie!')
const FIRST_PORT = 6000
const folder = temporaryDirectory()
let pair: SessionPair

beforeEach(async () => {
  pair = await sessionPair()
})
afterEach(() => pair.close())

/** A display: what it is told first, it says back, and "ok". */
async function serveDisplay(): Promise<{ display: string; number: number; sockets: readonly Socket[] }> {
  for (;;) {
    const { port, sockets } = await serveSockets((socket) =>
      socket.once('data', (data: Buffer) => socket.end(Buffer.concat([data, Buffer.from('ok')]))),
    )
    if (port >= FIRST_PORT) {
      return { display: `localhost:${port - FIRST_PORT}.3`, number: port - FIRST_PORT, sockets }
    }
  }
}

interface Session {
  remote: RemoteProcess
  /** The port of its display, and the cookie that its programs have. */
  port: number
  display: string
  cookie: Buffer
  file: string
}

async function start(display: string, authorityFile = join(folder(), 'none')): Promise<Session> {
  const remote = await pair.client.exec('echo $DISPLAY $XAUTHORITY; cat', {
    x11: { display, authorityFile, trusted: true },
  })
  const [data] = await once(remote.stdout, 'data')
  const [name = '', file = ''] = String(data).trim().split(' ')
  const number = Number(/^localhost:(\d+)/.exec(name)?.[1])
  const cookie = findCookie(readFileSync(file), { number, address: undefined, hostname: hostname() })
  return { remote, port: FIRST_PORT + number, display: name, cookie: cookie ?? Buffer.alloc(0), file }
}

async function say(port: number, packet: Buffer): Promise<Buffer> {
  const socket = await dial(port)
  const answer = collect(socket).catch(() => Buffer.alloc(0))
  for (const byte of packet) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve))
  return answer
}

describe('a display of ours in the job', () => {
  it.each(['B', 'l'] as const)(
    'gets its real cookie from who knows that of the session (order %s)',
    async (order) => {
      const { display, number } = await serveDisplay()
      const file = join(folder(), 'authority')
      const entry = { display: number, hostname: hostname(), protocol: MIT, cookie: REAL }
      writeFileSync(file, encodeXauthority(entry))
      const session = await start(display, file)
      expect(session.display).toMatch(/\.3$/)
      expect(session.cookie).toHaveLength(16)
      expect(session.cookie).not.toEqual(REAL)
      const answer = await say(session.port, setupPacket(order, MIT, session.cookie))
      expect(answer).toEqual(Buffer.concat([setupPacket(order, MIT, REAL), Buffer.from('ok')]))
      session.remote.stdin.end()
      await session.remote.ended
      await until(() => !existsSync(session.file))
    },
  )

  it('is asked without a cookie where there is none for it', async () => {
    const { display } = await serveDisplay()
    const session = await start(display)
    const answer = await say(session.port, setupPacket('l', MIT, session.cookie))
    expect(answer).toEqual(Buffer.concat([setupPacket('l', '', Buffer.alloc(0)), Buffer.from('ok')]))
  })

  it.each<[string, (cookie: Buffer) => Buffer]>([
    ['another cookie', () => setupPacket('l', MIT, Buffer.alloc(16))],
    ['none', () => setupPacket('l', '', Buffer.alloc(0))],
    ['another protocol', (cookie) => setupPacket('l', 'XDM-AUTHORIZATION-1', cookie)],
    ['another byte order', (cookie) => setupPacket('l', MIT, cookie).fill(0x58, 0, 1)],
    ['too much', () => setupPacket('B', MIT, Buffer.alloc(60_000))],
  ])('is closed to who says %s', async (_title, packet) => {
    const { display, sockets } = await serveDisplay()
    const session = await start(display)
    expect(await say(session.port, packet(session.cookie))).toHaveLength(0)
    expect(sockets).toHaveLength(0)
    // And still open to who knows.
    expect(await say(session.port, setupPacket('l', MIT, session.cookie))).not.toHaveLength(0)
  })

  it('is another one for each session of a connection', async () => {
    const [one, two] = [await serveDisplay(), await serveDisplay()]
    const [first, second] = [await start(one.display), await start(two.display)]
    await say(second.port, setupPacket('l', MIT, second.cookie))
    expect([one.sockets.length, two.sockets.length]).toEqual([0, 1])
    await say(first.port, setupPacket('l', MIT, first.cookie))
    expect([one.sockets.length, two.sockets.length]).toEqual([1, 1])
    first.remote.stdin.end()
    await first.remote.ended
    // The other session's is none of its business.
    expect(await say(second.port, setupPacket('l', MIT, first.cookie))).toHaveLength(0)
    expect([one.sockets.length, two.sockets.length]).toEqual([1, 1])
  })

  it('that is not there closes the connection, and nothing else', async () => {
    const session = await start(':59000')
    expect(await say(session.port, setupPacket('l', MIT, session.cookie))).toHaveLength(0)
    session.remote.stdin.end()
    expect(await session.remote.ended).toEqual({ exitCode: 0, signal: undefined })
  })

  it.each(['', 'x', ':', ':70000', 'host:1.', 'host'])('is refused if it is called %j', async (display) => {
    await expect(pair.client.exec('true', { x11: { display } })).rejects.toMatchObject({
      code: 'usage',
      message: `'${display}' is no display of X11: write :NUMBER or HOST:NUMBER, as in :0.`,
    })
    const { stdout } = await (await pair.client.exec('echo fine')).output()
    expect(stdout.toString()).toBe('fine\n')
  })

  it('is refused by a starter that forbids it, with a sentence', async () => {
    await pair.close()
    pair = await sessionPair({ serve: { forwarding: 'none' } })
    await expect(pair.client.exec('true', { x11: { display: ':0', trusted: true } })).rejects.toMatchObject({
      code: 'request-refused',
      message: 'The server does not forward X11 into the job.',
    })
  })
})
