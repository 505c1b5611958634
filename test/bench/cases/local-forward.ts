import { once } from 'node:events'
import net from 'node:net'
import { Readable } from 'node:stream'
import type { Side } from '../alternate.js'
import type { Bench, Case } from '../bench.js'
import { besideFirst } from '../beside-first.js'
import { inUnits, type Row } from '../report.js'
import { startBoth, startLocalForward, type TcpServer } from '../servers.js'
import { compare } from './throughput.js'

const GIB = 1024 ** 3
const PIECE = Buffer.alloc(65_536)

/** Sends this much to whoever connects, or takes what comes and says that it was all. */
async function startPeer(bench: Bench, direction: 'from' | 'to', bytes: number): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // Whoever only looks whether the forward is there goes without a word.
    socket.on('error', () => socket.destroy())
    if (direction === 'from') zeros(bytes).pipe(socket.resume())
    else socket.resume().on('end', () => socket.end('.'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  bench.onEnd(async () => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server without a port.')
  return address.port
}

function zeros(count: number): Readable {
  return Readable.from(
    (function* () {
      for (let left = count; left > 0; left -= PIECE.length) yield PIECE.subarray(0, left)
    })(),
  )
}

/** Moves the bytes through the forward, and checks that none is missing. */
async function move(port: number, direction: 'from' | 'to', bytes: number): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  const ended = once(socket, 'end')
  zeros(direction === 'to' ? bytes : 0).pipe(socket)
  await ended
  if (received !== (direction === 'to' ? 1 : bytes)) throw new Error(`${received} bytes of ${bytes} arrived.`)
}

export const localForward: Case = {
  name: 'local-forward',
  goal: "a local forward of OpenSSH's client moves 1 GiB with at least 1.0 of sshd's throughput",
  async run(bench) {
    const bytes = bench.bytes(GIB)
    const servers = await startBoth(bench)
    const rows: Row[] = []
    for (const direction of ['from', 'to'] as const) {
      const target = await startPeer(bench, direction, bytes)
      const forward = async (server: TcpServer): Promise<Side> => {
        const port = await startLocalForward(bench, server, target)
        return { server: server.pid, work: () => move(port, direction, bytes) }
      }
      const sides = await Promise.all(servers.map(forward))
      const what = `local forward, ${inUnits(bytes)} ${direction} the job's side`
      const compared = await besideFirst(servers, sides, bench.rounds(7), (label, ours, peer) => ({
        ...compare(`${what}${label}`, bytes, ours, peer, 1),
        // sshd's work is done by a process of the connection, whose time nobody has while it lives.
        cpu: '',
      }))
      rows.push(...compared)
    }
    return rows
  },
}
