import type { Socket } from 'node:net'
import { FORWARD_DRAIN_MS } from '../core/limits.js'
import type { Channel } from './channel.js'

/**
 * Makes a socket and a channel one connection: two copies with back-pressure, each of which ends by itself, so that
 * the end of one direction leaves the other open. Once both have ended, or the socket has failed, the channel is
 * closed; nothing else of the connection notices. The socket has to allow half-open connections.
 */
export function joinSocket(channel: Channel, socket: Socket): void {
  // It may have gone while the channel was opened: what it says of its end is said already.
  if (socket.destroyed) return channel.close()
  const { input, output } = channel
  // Nobody sends stderr on such a channel; if one does, it counts against its window like anything unread.
  channel.inputExtended.resume()
  let failed = false
  socket.on('error', () => {
    failed = true
  })
  socket.once('close', () => {
    input.destroy()
    const close = (): void => channel.close()
    // What had come from the socket is let out first. A failure is a close without an EOF: what it cut off must not
    // look complete.
    if (output.writableFinished || output.destroyed) close()
    else if (output.writableEnded) output.once('finish', close)
    else if (failed) output.write('', close)
    else output.end(close)
  })
  // The connection has failed, and all that had arrived was read.
  input.on('error', () => socket.end())
  void channel.closed.then(() => letGo(socket))
  socket.pipe(output)
  input.pipe(socket)
}

/** What still comes from the socket has nowhere to go; what was sent to it is let out while it takes some. */
function letGo(socket: Socket): void {
  if (socket.destroyed) return
  socket.unpipe()
  socket.resume()
  // Not the socket's own timeout: whatever the peer sends would begin it anew.
  let left = socket.writableLength
  const watch = setInterval(() => {
    if (socket.writableLength === left) socket.destroy()
    left = socket.writableLength
  }, FORWARD_DRAIN_MS)
  socket.once('close', () => clearInterval(watch))
  if (socket.writableFinished) socket.destroy()
  else socket.once('finish', () => socket.destroy())
}
