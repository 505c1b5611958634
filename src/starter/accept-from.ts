import type { Server } from 'node:net'
import { type Logger, silent } from '../core/log.js'
import type { Origin, Starter } from './starter.js'

/**
 * Has a starter serve whoever connects to a server, which may listen already or later, and is the caller's to close:
 * whoever reaches it gets in, unless the starter's `admit` says otherwise.
 */
export function acceptFrom(server: Server, starter: Starter, origin: Origin, log: Logger = silent): void {
  server.on('connection', (socket) => starter.accept(socket, origin))
  server.on('error', (error) => {
    // Why a server can't listen, whoever asked it to learns.
    if (server.listening) log.error({ err: error }, 'accepting a connection failed')
  })
}
