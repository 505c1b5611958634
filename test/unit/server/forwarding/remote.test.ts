import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { silent } from '../../../../src/core/log.js'
import { starterPermissions } from '../../../../src/permissions/forwarding-options.js'
import { placeToListen, RemoteForwards } from '../../../../src/server/forwarding/remote.js'
import type { Rules } from '../../../../src/server/rules.js'
import { OPEN_FAILURE, Reader, string, uint32 } from '../../../../src/ssh/wire.js'
import { until, untilSettled } from '../../../helpers/bytes.js'
import { type ConnectionPair, connectionPair } from '../../../helpers/connection-pair.js'
import { testInside } from '../../../helpers/inside.js'
import { dial, unusedPort } from '../../../helpers/sockets.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const ALL: Rules = { permissions: [starterPermissions({})] }
const directory = temporaryDirectory()
const services = { inside: testInside(), log: silent }
const folder = process.cwd()
afterEach(() => process.chdir(folder))

/** Unix sockets of this process. */
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length
const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length

describe('a socket that takes the place of one that is there', () => {
  it('is the only one that this client listens on then', async () => {
    const pair = await connectionPair()
    const policy = { ...ALL, replacesSockets: true }
    const forwards = new RemoteForwards(pair.server.connection, policy, services)
    const before = sockets()
    const path = join(directory(), 'socket')
    const data = (): Reader => new Reader(string(path))
    expect(await forwards.listenUnix(data())).toBe(true)
    expect(await forwards.listenUnix(data())).toBe(true)
    expect(await untilSettled(sockets)).toBe(before + 1)
    expect(existsSync(path)).toBe(true)
    expect(await forwards.cancelUnix(data())).toBe(true)
    expect(await untilSettled(sockets)).toBe(before)
    expect(existsSync(path)).toBe(false)
    expect(await forwards.cancelUnix(data())).toBe(false)
    await forwards.close()
    await pair.close()
  })
})

it('a unix socket that is called like a port is another listener: both are closed', async () => {
  const before = ports()
  process.chdir(directory())
  const pair = await connectionPair()
  const forwards = new RemoteForwards(pair.server.connection, ALL, services)
  const port = await forwards.listenTcp(new Reader(Buffer.concat([string('localhost'), uint32(0)])))
  if (!Buffer.isBuffer(port)) throw new Error('no port')
  const path = `${port.readUInt32BE()} localhost`
  expect(await forwards.listenUnix(new Reader(string(path)))).toBe(true)
  expect(ports()).toBeGreaterThan(before)
  await forwards.close()
  expect(await untilSettled(ports)).toBe(before)
  expect(existsSync(path)).toBe(false)
  await pair.close()
})

describe('GatewayPorts', () => {
  const EVERYWHERE = ['', '*', '0.0.0.0', '::']
  const HOSTS = ['192.0.2.1', '2001:db8::1', 'example.org', 'LOCALHOST']

  it.each([...EVERYWHERE, ...HOSTS, 'localhost'])(
    'no, and nothing said: %j is this machine alone',
    (address) => {
      expect(placeToListen(address)).toBe('loopback')
      expect(placeToListen(address, 'no')).toBe('loopback')
    },
  )

  it('yes: everything is every address, but what is this machine itself', () => {
    for (const address of [...EVERYWHERE, ...HOSTS]) expect(placeToListen(address, 'yes')).toBe('everywhere')
    expect(placeToListen('localhost', 'yes')).toBe('loopback')
  })

  it('clientspecified: what the client says', () => {
    for (const address of EVERYWHERE) expect(placeToListen(address, 'clientspecified')).toBe('everywhere')
    for (const address of HOSTS) expect(placeToListen(address, 'clientspecified')).toEqual({ address })
    expect(placeToListen('localhost', 'clientspecified')).toBe('loopback')
  })

  it.each(['no', 'yes', 'clientspecified'] as const)(
    '%s: one family of loopback is that one',
    (gatewayPorts) => {
      for (const address of ['127.0.0.1', '::1'])
        expect(placeToListen(address, gatewayPorts)).toEqual({ address })
    },
  )
})

/** The addresses on which a port is listened on, as proc(5) writes them. */
function listeningOn(port: number): string[] {
  const LISTEN = '0A'
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    const found = lines.filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === LISTEN)
    return found.map(([, local = '']) => local.slice(0, local.indexOf(':')))
  })
}

describe('a port that a client listens on', () => {
  const LOOPBACK = { '127.0.0.1': '0100007F', '::1': `${'0'.repeat(24)}01000000` }
  const ask = (address: string, port = 0): Reader =>
    new Reader(Buffer.concat([string(address), uint32(port)]))

  async function withForwards(
    options: Partial<Rules>,
    use: (forwards: RemoteForwards, pair: ConnectionPair) => Promise<void>,
  ): Promise<void> {
    const pair = await connectionPair()
    const forwards = new RemoteForwards(pair.server.connection, { ...ALL, ...options }, services)
    try {
      await use(forwards, pair)
    } finally {
      forwards.close()
      await pair.close()
    }
  }

  async function port(answer: Promise<boolean | Buffer>): Promise<number> {
    const bytes = await answer
    if (!Buffer.isBuffer(bytes)) throw new Error('no port')
    return bytes.readUInt32BE()
  }

  it.each(['', '*', '0.0.0.0', '::', '192.0.2.1', 'example.org', 'localhost'])(
    'is open to this machine alone, though %j was asked for',
    async (address) => {
      await withForwards({}, async (forwards) => {
        const addresses = listeningOn(await port(forwards.listenTcp(ask(address))))
        expect(addresses.length).toBeGreaterThan(0)
        for (const one of addresses) expect(Object.values(LOOPBACK)).toContain(one)
      })
    },
  )

  it('is on the address that was asked for where the client may say', async () => {
    await withForwards({ gatewayPorts: 'clientspecified' }, async (forwards) => {
      expect(listeningOn(await port(forwards.listenTcp(ask('127.0.0.2'))))).toEqual(['0200007F'])
      expect(listeningOn(await port(forwards.listenTcp(ask('127.0.0.1'))))).toEqual([LOOPBACK['127.0.0.1']])
    })
  })

  it('is told where it was left to the server, and only then', async () => {
    await withForwards({}, async (forwards) => {
      const free = await unusedPort()
      expect(await forwards.listenTcp(ask('localhost', free))).toBe(true)
      expect(await forwards.listenTcp(ask('localhost', 65_536))).toBe(false)
    })
  })

  it('tells who connects, and is refused to whoever finds the connection full', async () => {
    const asked: { type: string; data: Buffer }[] = []
    const pair = await connectionPair(undefined, {
      client: {
        onChannelOpen: (type, data) => {
          asked.push({ type, data: data.rest() })
          return { refuse: OPEN_FAILURE.CONNECT_FAILED, message: 'no' }
        },
        onGlobalRequest: () => false,
      },
    })
    const forwards = new RemoteForwards(pair.server.connection, ALL, services)
    const made = await port(forwards.listenTcp(ask('127.0.0.1')))
    const socket = await dial(made)
    await until(() => socket.readableEnded || socket.destroyed)
    expect(asked).toHaveLength(1)
    const data = new Reader(asked[0]?.data ?? Buffer.alloc(0))
    expect([asked[0]?.type, data.text(), data.uint32()]).toEqual(['forwarded-tcpip', '127.0.0.1', made])
    expect([data.text(), data.uint32()]).toEqual([socket.localAddress, socket.localPort])
    Object.defineProperty(pair.server.connection, 'isFull', { value: true })
    const another = await dial(made)
    await until(() => another.readableEnded || another.destroyed)
    expect(asked).toHaveLength(1)
    forwards.close()
    await pair.close()
  })

  it('is closed again where the connection ends while it is being opened', async () => {
    const before = await untilSettled(ports)
    await withForwards({}, async (forwards) => {
      const answer = forwards.listenTcp(ask('127.0.0.1'))
      forwards.close()
      expect(await answer).toBe(false)
      expect(await untilSettled(ports)).toBe(before)
      expect(await forwards.listenTcp(ask('127.0.0.1'))).toBe(false)
    })
  })

  it('is not there where its answer was on the way when the connection ended', async () => {
    const before = await untilSettled(ports)
    await withForwards({}, async (forwards) => {
      const answer = forwards.listenTcp(ask('127.0.0.1'))
      await Promise.resolve().then(() => undefined) // its turn has come, and it is being bound
      forwards.close()
      expect(await answer).toBe(false)
      expect(await untilSettled(ports)).toBe(before)
    })
  })

  it('that is refused is told to the log, with the reason', async () => {
    const warn = jest.fn()
    const pair = await connectionPair()
    const rules: Rules = { permissions: [starterPermissions({ permitListen: ['1'] })] }
    const forwards = new RemoteForwards(pair.server.connection, rules, {
      ...services,
      log: { ...silent, warn },
    })
    expect(await forwards.listenTcp(ask('localhost', 2))).toBe(false)
    expect(await forwards.listenUnix(new Reader(string('/a')))).toBe(false)
    expect(await forwards.listenUnix(new Reader(string('')))).toBe(false)
    expect(await forwards.cancelUnix(new Reader(string('')))).toBe(false)
    expect(warn.mock.calls).toEqual([
      [{ reason: "the job's starter does not permit localhost:2" }, 'remote forwarding refused'],
      [{ reason: "the job's starter does not permit /a" }, 'remote forwarding refused'],
    ])
    forwards.close()
    await pair.close()
  })
})
