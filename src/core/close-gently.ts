import type { Duplex } from 'node:stream'
import { REFUSAL_LINGER_MS } from './limits.js'

/**
 * Ends a stream whose work is done: what was written last still goes out, what the other side still sends is dropped,
 * and it is destroyed after REFUSAL_LINGER_MS if the other side does not end it before: closing a socket on bytes unread
 * would make the other side see a broken pipe instead of our last words. Resolves when it is closed; never rejects.
 * @param lastWords Default: none
 */
export function closeGently(stream: Duplex, lastWords?: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) return resolve()
    const timer = setTimeout(() => stream.destroy(), REFUSAL_LINGER_MS)
    stream.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    // Nobody is interested any more in how it ends, and an 'error' that nobody hears ends the process.
    stream.on('error', () => stream.destroy())
    if (stream.destroyed) return
    stream.resume()
    if (stream.writable) stream.end(lastWords)
  })
}
