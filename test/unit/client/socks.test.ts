import type { Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Forwarding } from '../../../src/client/types.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { type SessionPair, sessionPair } from '../../helpers/session-pair.js'
import { collect, dial, echoSocket, serveSockets, unusedPort } from '../../helpers/sockets.js'

let pair: SessionPair
let socks: Forwarding
const failures: Error[] = []

beforeEach(async () => {
  pair = await sessionPair({ job: memoryJob(idle) })
  failures.length = 0
  socks = await pair.client.forwardDynamic({ port: 0 }, { onFailure: (error) => void failures.push(error) })
})
afterEach(() => pair.close())

const port16 = (port: number): number[] => [port >> 8, port & 0xff]
const text = (name: string): number[] => [...Buffer.from(name)]

/** Says all at once, ends, and gives all that comes back. */
async function say(bytes: number[]): Promise<Buffer> {
  const socket = await dial(socks.address.port ?? 0)
  socket.end(Buffer.from(bytes))
  return collect(socket)
}

/** Says it byte by byte. */
async function spell(bytes: number[]): Promise<Buffer> {
  const socket = await dial(socks.address.port ?? 0)
  socket.setNoDelay(true)
  const answer = collect(socket)
  for (const byte of bytes) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve))
  socket.end()
  return answer
}

const DONE_5 = [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]

describe('the SOCKS server', () => {
  it.each([
    ['an address', [1, 127, 0, 0, 1]],
    ['a name, which is looked up in the job', [3, 9, ...text('localhost')]],
  ])('takes version 5 with %s', async (_title, address) => {
    const { port } = await serveSockets(echoSocket)
    const wish = [5, 1, 0, 5, 1, 0, ...address, ...port16(port), ...text('hello')]
    expect(await say(wish)).toEqual(Buffer.from([...DONE_5, ...text('hello')]))
    expect(await spell(wish)).toEqual(Buffer.from([...DONE_5, ...text('hello')]))
  })

  // Containers often have no IPv6, not even on loopback.
  const hasIpv6 = networkInterfaces().lo?.some(({ address }) => address === '::1') === true
  ;(hasIpv6 ? it : it.skip)('takes version 5 with an address of IPv6', async () => {
    const { server } = await serveSockets(echoSocket)
    await relisten(server, '::1')
    const wish = [5, 1, 0, 5, 1, 0, 4, ...Array(15).fill(0), 1, ...port16(portOf(server)), ...text('six')]
    expect(await say(wish)).toEqual(Buffer.from([...DONE_5, ...text('six')]))
  })

  it('takes version 4, and 4a with a name', async () => {
    const { port } = await serveSockets(echoSocket)
    const user = [...text('me'), 0]
    const done = (address: number[]): number[] => [0, 90, ...port16(port), ...address]
    const four = [4, 1, ...port16(port), 127, 0, 0, 1, ...user, ...text('hello')]
    expect(await spell(four)).toEqual(Buffer.from([...done([127, 0, 0, 1]), ...text('hello')]))
    const named = [4, 1, ...port16(port), 0, 0, 0, 7, ...user, ...text('localhost'), 0, ...text('hello')]
    expect(await say(named)).toEqual(Buffer.from([...done([0, 0, 0, 7]), ...text('hello')]))
  })

  it('says that a connection could not be made', async () => {
    const port = await unusedPort()
    const refused = [5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0]
    expect(await say([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, ...port16(port)])).toEqual(Buffer.from(refused))
    expect(failures).toEqual([expect.objectContaining({ code: 'channel-refused' })])
  })

  it.each<[string, number[], number[]]>([
    ['another command', [5, 1, 0, 5, 2, 0, 1, 1, 1, 1, 1, 0, 80], [5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0]],
    ['an unknown kind of address', [5, 1, 0, 5, 1, 0, 9], [5, 0, 5, 8, 0, 1, 0, 0, 0, 0, 0, 0]],
    ['a client that insists on a password', [5, 1, 2], [5, 255]],
    ['port 0', [5, 1, 0, 5, 1, 0, 1, 1, 1, 1, 1, 0, 0], [5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0]],
    ['version 4 with another command', [4, 2, 0, 80, 1, 1, 1, 1, 0], [0, 91, 0, 80, 1, 1, 1, 1]],
    ['another protocol', text('GET / HTTP/1.0\r\n\r\n'), []],
    ['half a request', [5, 1, 0, 5, 1], [5, 0]],
    ['nothing', [], []],
    ['a name without an end', [4, 1, 0, 80, 1, 1, 1, 1, ...Array(10_000).fill(65)], []],
  ])('refuses %s', async (_title, wish, answer) => {
    expect(await say(wish).catch(() => Buffer.alloc(0))).toEqual(Buffer.from(answer))
  })
})

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function relisten(server: Server, host: string): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
}
