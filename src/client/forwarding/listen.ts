import { type Listening, listening, listenLoopback } from '../../sockets/loopback.js'
import { listenTcp } from '../../sockets/tcp.js'
import { listenUnix } from '../../sockets/unix.js'
import { checkPort } from './open.js'
import type { Endpoint, Forwarding, ListenAt } from './types.js'

/** @throws SshjobError 'unreachable' where that can't be listened on, 'usage' */
export async function listenAt(at: ListenAt): Promise<{ server: Listening; address: Endpoint }> {
  if (at.path !== undefined) {
    return { server: listening([await listenUnix(at.path)]), address: { path: at.path } }
  }
  checkPort(at.port, 0)
  const { host = 'localhost' } = at
  const server =
    host === 'localhost' ? await listenLoopback(at.port) : listening([await listenTcp(host, at.port)])
  return { server, address: { host, port: server.port } }
}

/** What a caller holds of something that listens. */
export function forwardingOf(address: Endpoint, close: () => Promise<void> | void): Forwarding {
  return {
    address,
    async close() {
      await close()
    },
    async [Symbol.asyncDispose]() {
      await close()
    },
  }
}
