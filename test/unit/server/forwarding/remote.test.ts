import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BlockingCalls } from '../../../../src/core/blocking-calls.js'
import { silent } from '../../../../src/core/log.js'
import { makePolicy } from '../../../../src/server/forwarding/policy.js'
import { RemoteForwards } from '../../../../src/server/forwarding/remote.js'
import { Reader, string, uint32 } from '../../../../src/ssh/wire.js'
import { untilSettled } from '../../../helpers/bytes.js'
import { connectionPair } from '../../../helpers/connection-pair.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const directory = temporaryDirectory()
const services = { calls: new BlockingCalls(), log: silent }
const folder = process.cwd()
afterEach(() => process.chdir(folder))

/** Unix sockets of this process. */
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length
const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length

describe('a socket that takes the place of one that is there', () => {
  it('is the only one that this client listens on then', async () => {
    const pair = await connectionPair()
    const policy = { ...makePolicy({}), replacesSockets: true }
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
  const forwards = new RemoteForwards(pair.server.connection, makePolicy({}), services)
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
