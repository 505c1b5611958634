// library-client.ts LIBRARY ADDRESS out|into BYTES: moves bytes out of or into a command.
// ADDRESS is the id of a job, or PORT,IDENTITY,HOST_PUBLIC_KEY of a TCP server.
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { JobConnection } from '../../src/index.js'

const [library = '', address = '', direction, size] = process.argv.slice(2)
const { connect, connectToJob }: typeof import('../../src/index.js') = await import(library)
const CHUNK = Buffer.alloc(64 * 1024)

/** In pieces of 64 KiB, what a pipe holds. */
function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left)
}

let received = 0
const counter = (): Writable =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      received += chunk.length
      done()
    },
  })

function connectTcp(port: number, identity: string, hostKey: string): Promise<JobConnection> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  return connect(socket, { credentials: { privateKey: readFileSync(identity, 'utf8'), hostKey } })
}

const [port, identity, hostKey] = address.split(',')
const connection =
  identity === undefined || hostKey === undefined
    ? await connectToJob(address)
    : await connectTcp(Number(port), identity, hostKey)
const bytes = Number(size)
if (direction === 'out') {
  const remote = await connection.exec(`dd if=/dev/zero bs=65536 count=${bytes / 65_536} status=none`, {
    stdin: null,
  })
  await pipeline(remote.stdout, counter())
  await remote.ended
} else {
  const remote = await connection.exec('wc -c')
  const said = remote.output()
  await pipeline(Readable.from(zeros(bytes)), remote.stdin)
  received = Number((await said).stdout.toString())
}
await connection.close()
if (received !== bytes) throw new Error(`${received} bytes of ${bytes} arrived.`)
