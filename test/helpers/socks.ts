import { once } from 'node:events'
import type { Socket } from 'node:net'
import { dial } from './sockets.js'

const GRANTED = Buffer.from([5, 0])

/** Reads exactly so many bytes, and leaves what follows in the socket. */
async function read(socket: Socket, size: number): Promise<Buffer> {
  for (;;) {
    const data: unknown = socket.read(size)
    if (Buffer.isBuffer(data)) return data
    if (socket.readableEnded) throw new Error('The SOCKS server has closed the connection.')
    await once(socket, 'readable')
  }
}

/** A connection to a host and port through a SOCKS 5 server on this port of loopback, RFC 1928. */
export async function dialThroughSocks(server: number, host: string, port: number): Promise<Socket> {
  const socket = await dial(server)
  socket.write(Buffer.from([5, 1, 0])) // one method: no authentication
  expect(await read(socket, 2)).toEqual(GRANTED)
  const name = Buffer.from(host)
  socket.write(Buffer.from([5, 1, 0, 3, name.length, ...name, port >> 8, port & 0xff]))
  const answer = await read(socket, 4)
  expect(answer.subarray(0, 2)).toEqual(GRANTED)
  await read(socket, answer[3] === 4 ? 18 : 6) // the address that it is bound to, and the port
  return socket
}
