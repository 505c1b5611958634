import { SshjobError } from '../core/errors.js'
import type { Connection } from '../ssh/connection.js'
import type { Transport } from '../ssh/transport.js'

/**
 * Ends a connection on which no channel has been open for this long: sshd_config(5) UnusedConnectionTimeout. What it
 * listens on doesn't count. Gives the function that stops it.
 */
export function endUnused(transport: Transport, connection: Connection, limitMs: number): () => void {
  let used = Date.now()
  const check = (): void => {
    if (connection.channels.size > 0) used = Date.now()
    else if (Date.now() - used >= limitMs) {
      transport.close(new SshjobError('idle-timeout', 'The connection was not used and is ended.'))
    }
  }
  const timer = setInterval(check, Math.max(10, Math.min(limitMs / 4, 1_000))).unref()
  return () => clearInterval(timer)
}
