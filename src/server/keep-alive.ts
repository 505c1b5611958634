import { SshjobError } from '../core/errors.js'
import type { Connection } from '../ssh/connection.js'
import type { Transport } from '../ssh/transport.js'

/**
 * Asks a client that says nothing whether it is still there, as sshd_config(5) describes ClientAliveInterval and
 * ClientAliveCountMax: within the encrypted connection, and any word of the client's is an answer. A count of 0 asks,
 * and never gives up. Gives the function that stops it.
 */
export function keepAlive(
  transport: Transport,
  connection: Connection,
  { intervalMs, countMax }: { intervalMs: number; countMax: number },
): () => void {
  let heard = transport.received
  let unanswered = 0
  const timer = setInterval(() => {
    if (transport.received !== heard) {
      heard = transport.received
      unanswered = 0
    } else if (countMax > 0 && unanswered >= countMax) {
      transport.close(new SshjobError('connection-lost', 'The client does not answer any more.'))
    } else {
      unanswered += 1
      void connection.request('keepalive@openssh.com')
    }
  }, intervalMs).unref()
  return () => clearInterval(timer)
}
