import type { Socket } from 'node:net'
import { listenAtPath } from '../../sockets/listen-unix.js'
import { type Listening, listening, listenLoopback } from '../../sockets/loopback.js'
import { listenTcp } from '../../sockets/tcp.js'
import type { Endpoint, Forwarding, ListenAt } from './types.js'

/** @throws SshjobError 'unreachable' where that can't be listened on, 'usage', 'not-answering' */
export async function listenAt(
  at: ListenAt,
  onConnection: (socket: Socket) => void,
): Promise<{ server: Listening; address: Endpoint }> {
  if (at.path !== undefined) {
    return { server: await listenAtPath(at.path, onConnection), address: { path: at.path } }
  }
  const { host = 'localhost' } = at
  const server =
    host === 'localhost' ? await listenLoopback(at.port) : listening([await listenTcp(host, at.port)])
  server.onConnection(onConnection)
  return { server, address: { host, port: server.port } }
}

/** Connections that go through a forwarding. */
export interface Passage {
  connections: number
}

/** Counts a connection until its socket is closed. */
export function count(passage: Passage, socket: Socket): void {
  passage.connections += 1
  socket.once('close', () => {
    passage.connections -= 1
  })
}

/** What a caller holds of something that listens. */
export function forwardingOf(
  address: Endpoint,
  passage: Passage,
  close: () => Promise<void> | void,
): Forwarding {
  return {
    address,
    get connections() {
      return passage.connections
    },
    async close() {
      await close()
    },
    async [Symbol.asyncDispose]() {
      await close()
    },
  }
}
