import type { Duplex } from 'node:stream'
import { deferred } from '../../src/core/deferred.js'
import type { SshjobError } from '../../src/core/errors.js'
import { silent } from '../../src/core/log.js'
import {
  acceptKeys,
  type End,
  offerKey,
  onlyKeys,
  requestAuthentication,
} from '../../src/ssh/authentication.js'
import type { Channel } from '../../src/ssh/channel.js'
import { Connection, type ConnectionHandlers } from '../../src/ssh/connection.js'
import { hostKeysOf } from '../../src/ssh/host-keys.js'
import { generateKey, parseKey } from '../../src/ssh/keys.js'
import { Transport } from '../../src/ssh/transport.js'
import { streamPair } from '../../src/streams/memory.js'

/** One end of a connection, without a job or a client on top of it. */
export interface Peer {
  stream: Duplex
  transport: Transport
  connection: Connection
  /** Resolves with the cause of the end. */
  closed: Promise<SshjobError | undefined>
}

export interface ConnectionPair {
  server: Peer
  client: Peer
  /** Opens a channel from the client's end; gives both ends of it. */
  open(): Promise<[client: Channel, server: Channel]>
  close(): Promise<void>
}

/**
 * The two ends of an authenticated connection over two connected streams. Accepts every channel that is opened, unless
 * the end has handlers of its own.
 */
export async function connectionPair(
  streams: [Duplex, Duplex] = streamPair(),
  handlers: { server?: ConnectionHandlers; client?: ConnectionHandlers } = {},
): Promise<ConnectionPair> {
  const hostKey = parseKey(generateKey().privateKey)
  const clientKey = parseKey(generateKey().privateKey)
  const accepted: Channel[] = []
  const ready = deferred<void>()

  const server = makePeer(streams[0], handlers.server ?? acceptAll(accepted), (end) => ({
    side: { role: 'server', hostKeys: hostKeysOf(hostKey) },
    handlers: acceptKeys({
      login: onlyKeys([clientKey], {}),
      end,
      onAuthenticated: () => {
        server.transport.authenticated = true
      },
    }),
    onReady: () => undefined,
  }))
  const client = makePeer(streams[1], handlers.client ?? acceptAll([]), (end) => ({
    side: { role: 'client', hostKey },
    handlers: offerKey('user', clientKey, end, () => {
      client.transport.authenticated = true
      ready.resolve()
    }),
    onReady: () => requestAuthentication(client.transport.authentication),
  }))
  const failed = Promise.race([server.closed, client.closed]).then((cause) => {
    throw cause ?? new Error('closed before it was ready')
  })
  await Promise.race([ready.promise, failed])
  failed.catch(() => undefined) // from now on an end is what the test asks for
  return {
    server,
    client,
    async open() {
      const channel = await client.connection.open('session')
      const other = accepted.shift()
      if (other === undefined) throw new Error('the server end accepted no channel')
      return [channel, other]
    },
    async close() {
      client.transport.close()
      server.transport.close()
      await Promise.all([client.closed, server.closed])
    },
  }
}

type TransportParts = Pick<ConstructorParameters<typeof Transport>[0], 'side' | 'handlers' | 'onReady'>

function makePeer(stream: Duplex, handlers: ConnectionHandlers, parts: (end: End) => TransportParts): Peer {
  const closing = deferred<SshjobError | undefined>()
  const transport: Transport = new Transport({
    stream,
    ...parts({
      close: (cause, reason) => transport.close(cause, reason),
      send: (...message) => transport.send(...message),
    }),
    onMessage: (type, payload) => connection.receive(type, payload),
    onClosed: (cause) => {
      connection.finish(cause)
      closing.resolve(cause)
    },
    log: silent,
  })
  const connection = new Connection(transport, handlers)
  return { stream, transport, connection, closed: closing.promise }
}

function acceptAll(accepted: Channel[]): ConnectionHandlers {
  return {
    onChannelOpen: () => ({ accept: (channel) => void accepted.push(channel) }),
    onGlobalRequest: (name) => name === 'keepalive@openssh.com',
  }
}
