import type net from 'node:net'
import { SshjobError, systemCode } from '../core/errors.js'
import { listenTcp, portOf } from './tcp.js'

const LOOPBACK = ['127.0.0.1', '::1'] as const
const EVERYWHERE = ['0.0.0.0', '::'] as const
/** How often another port is tried where one that is free for IPv4 is taken for IPv6. */
const TRIES = 5

/** Servers that are one to whoever uses them: a port of several addresses. */
export interface Listening {
  readonly port: number
  onConnection(listener: (socket: net.Socket) => void): void
  /** Accepts no more; connections that were accepted go on. Resolves when its name is gone, where it has one. */
  close(): Promise<void>
}

/** One or more servers on the same port as one. */
export function listening(servers: readonly net.Server[]): Listening {
  const [first] = servers
  for (const server of servers) {
    // Of accepting a connection: that one is lost, and the next may come.
    server.on('error', () => undefined)
  }
  return {
    port: first === undefined ? 0 : portOf(first),
    onConnection(listener) {
      for (const server of servers) server.on('connection', listener)
    },
    async close() {
      for (const server of servers) server.close()
    },
  }
}

/**
 * Listens on the loopback addresses of both families, or of IPv4 alone where there is no IPv6. Port 0 takes one that
 * is free in both.
 * @throws SshjobError 'unreachable'
 */
export function listenLoopback(port: number): Promise<Listening> {
  return listenOnBoth(LOOPBACK, port)
}

/** As listenLoopback(), on every address of this machine. */
export function listenEverywhere(port: number): Promise<Listening> {
  return listenOnBoth(EVERYWHERE, port)
}

async function listenOnBoth([first, second]: readonly [string, string], port: number): Promise<Listening> {
  for (let left = TRIES; ; left--) {
    const four = await listenTcp(first, port)
    try {
      return listening([four, await listenTcp(second, portOf(four))])
    } catch (error) {
      const taken = error instanceof SshjobError && systemCode(error.cause) === 'EADDRINUSE'
      if (!taken) return listening([four])
      four.close()
      if (port !== 0 || left <= 1) throw error
    }
  }
}
