import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BlockingCalls } from '../core/blocking-calls.js'
import { endProcess } from './end-process.js'
import type { FilePlace } from './file-server.js'

/** Serves a stream; resolves with the status to exit with. */
export type ServeFiles = (stream: Duplex, place: FilePlace, calls: BlockingCalls) => Promise<number>

/** The other end of a FileServer: a process does nothing but this, until the one that has started it has gone. */
export function answerForFiles(serve: ServeFiles): void {
  const connections = new Map<number, { calls: BlockingCalls; channels: number }>()
  process.on('message', (message: unknown, socket: unknown) => {
    const request = readRequest(message)
    if (request === undefined || !(socket instanceof Socket)) return
    const { id, place } = request
    const connection = connections.get(place.connection) ?? { calls: new BlockingCalls(), channels: 0 }
    connections.set(place.connection, connection)
    connection.channels += 1
    socket.on('error', () => undefined)
    void serve(socket, place, connection.calls).then((exitCode) => {
      process.send?.({ id, exitCode })
      socket.end()
      connection.channels -= 1
      if (connection.channels === 0) connections.delete(place.connection)
    })
  })
  process.on('disconnect', () => endProcess(0))
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
