import { once } from 'node:events'
import net from 'node:net'
import type { Duplex } from 'node:stream'

export interface TestServer {
  readonly port: number
  readonly server: net.Server
  /** What has connected until now. */
  readonly sockets: net.Socket[]
}

const open: net.Server[] = []
const sockets = new Set<net.Socket>()

/** Ends all that was opened here. */
export async function closeSockets(): Promise<void> {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
}

/** A server on loopback, or on a unix socket, for what a test connects to. */
export async function serveSockets(accept: (socket: net.Socket) => void, path?: string): Promise<TestServer> {
  const accepted: net.Socket[] = []
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket)
    keep(socket)
    accept(socket)
  })
  open.push(server)
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { port, server, sockets: accepted }
}

/** Connects to a port of loopback, or to a unix socket. */
export async function dial(to: number | string): Promise<net.Socket> {
  const options = typeof to === 'number' ? { port: to, host: '127.0.0.1' } : { path: to }
  const socket = net.connect({ ...options, allowHalfOpen: true })
  keep(socket)
  await once(socket, 'connect')
  return socket
}

export function keep(socket: net.Socket): void {
  sockets.add(socket)
  socket.on('error', () => undefined)
}

/** A port on which nobody listens. */
export async function unusedPort(): Promise<number> {
  const { port, server } = await serveSockets(() => undefined)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Writes back what it reads, and ends when the other side has. */
export function echoSocket(socket: net.Socket): void {
  socket.pipe(socket)
}

/** Answers only after all has been read: what breaks where half-close is close. */
export function answerAfterEnd(socket: net.Socket): void {
  void collect(socket).then(
    (all) => socket.end(`got ${all.length}`),
    () => socket.destroy(),
  )
}

/** Reads to the end, and leaves the other direction alone: iterating over a stream would destroy it. */
export function collect(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    stream.once('end', () => resolve(Buffer.concat(chunks)))
    stream.once('error', reject)
    stream.once('close', () => reject(new Error('closed before its end')))
  })
}

/** Sends, ends, and reads to the end. */
export async function exchange(stream: Duplex, data: string | Buffer): Promise<Buffer> {
  stream.end(data)
  return collect(stream)
}
