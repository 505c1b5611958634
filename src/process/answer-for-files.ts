import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { exitAtOnce } from './exit.js'
import type { FilePlace } from './file-server.js'
import { MemoryKeeper } from './memory-keeper.js'

/**
 * The other end of a FileServer: a process does nothing but this, until the one that has started it has gone.
 * @param connect makes what the channels of one connection share
 * @param serve serves a stream; resolves with the status to exit with
 */
export function answerForFiles<Connection>(
  connect: () => Connection,
  serve: (stream: Duplex, place: FilePlace, connection: Connection) => Promise<number>,
): void {
  const connections = new Map<number, { shared: Connection; channels: number }>()
  const memory = new MemoryKeeper()
  process.on('message', (message: unknown, socket: unknown) => {
    const request = readRequest(message)
    if (request === undefined || !(socket instanceof Socket)) return
    const { id, place } = request
    const connection = connections.get(place.connection) ?? { shared: connect(), channels: 0 }
    connections.set(place.connection, connection)
    connection.channels += 1
    const end = memory.begin()
    socket.on('error', () => undefined)
    void serve(socket, place, connection.shared).then((exitCode) => {
      process.send?.({ id, exitCode })
      socket.end()
      end()
      connection.channels -= 1
      if (connection.channels === 0) connections.delete(place.connection)
    })
  })
  process.on('disconnect', () => exitAtOnce(0))
  process.send?.({ ready: true })
}

function readRequest(message: unknown): { id: number; place: FilePlace } | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  if (!('id' in message) || !('connection' in message)) return undefined
  if (!('directory' in message) || !('home' in message)) return undefined
  const { id, connection, directory, home } = message
  if (typeof directory !== 'string' || typeof home !== 'string') return undefined
  return { id: Number(id), place: { connection: Number(connection), directory, home } }
}
