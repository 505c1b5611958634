import type { Socket } from 'node:net'
import { asError } from '../../core/errors.js'
import type { Connection } from '../../ssh/connection.js'
import { joinStream } from '../../ssh/join.js'
import { count, forwardingOf, listenAt } from './listen.js'
import { openChannel } from './open.js'
import { serveSocks } from './socks.js'
import type { Endpoint, Forwarding, ForwardOptions, ListenAt } from './types.js'

/** `ssh -L`: each connection to `from` here is one to `to` from inside the job. */
export async function forwardLocal(
  connection: Connection,
  from: ListenAt,
  to: Endpoint,
  { onFailure }: ForwardOptions,
): Promise<Forwarding> {
  return listen(connection, from, (socket) => {
    connect(connection, socket, to).catch((error: unknown) => {
      socket.destroy()
      onFailure?.(asError(error))
    })
  })
}

/** `ssh -D`: a SOCKS server here, whose connections are made from inside the job. */
export async function forwardDynamic(
  connection: Connection,
  from: ListenAt,
  { onFailure }: ForwardOptions,
): Promise<Forwarding> {
  return listen(connection, from, (socket) => {
    connectAsAsked(connection, socket).catch((error: unknown) => onFailure?.(asError(error)))
  })
}

async function listen(
  connection: Connection,
  from: ListenAt,
  accept: (socket: Socket) => void,
): Promise<Forwarding> {
  if (connection.ended !== undefined) throw connection.ended
  const passage = { connections: 0 }
  const { server, address } = await listenAt(from, (socket) => {
    socket.on('error', () => undefined)
    count(passage, socket)
    accept(socket)
  })
  const stop = connection.whenOver(() => void server.close())
  return forwardingOf(address, passage, async () => {
    stop()
    await server.close()
  })
}

async function connect(connection: Connection, socket: Socket, to: Endpoint): Promise<void> {
  joinStream(await openChannel(connection, to, originOf(socket)), socket)
}

async function connectAsAsked(connection: Connection, socket: Socket): Promise<void> {
  const client = { input: socket, output: socket, close: () => socket.destroySoon() }
  const channel = await serveSocks(client, (to) => openChannel(connection, to, originOf(socket)))
  if (channel !== undefined) joinStream(channel, socket)
}

function originOf(socket: Socket): { host: string; port: number } {
  return { host: socket.remoteAddress ?? '127.0.0.1', port: socket.remotePort ?? 0 }
}
