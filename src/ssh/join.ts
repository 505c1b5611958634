import type { Duplex } from 'node:stream'
import { FORWARD_DRAIN_MS } from '../core/limits.js'
import type { Channel } from './channel.js'

/**
 * Makes a stream and a channel one connection: two copies with back-pressure, each of which ends by itself, so that
 * the end of one direction leaves the other open. Once both have ended, or the stream has failed, the channel is
 * closed; nothing else of the connection notices. A socket has to allow half-open connections.
 */
export function joinStream(channel: Channel, stream: Duplex): void {
  // It may have gone while the channel was opened: what it says of its end is said already.
  if (stream.destroyed) return channel.close()
  const { input, output } = channel
  // Nobody sends stderr on such a channel; if one does, it counts against its window like anything unread.
  channel.inputExtended.resume()
  let failed = false
  stream.on('error', () => {
    failed = true
  })
  stream.once('close', () => {
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
  input.on('error', () => stream.end())
  void channel.closed.then(() => letGo(stream))
  stream.pipe(output)
  input.pipe(stream)
}

/** What still comes from the socket has nowhere to go; what was sent to it is let out while it takes some. */
function letGo(stream: Duplex): void {
  if (stream.destroyed) return
  stream.unpipe()
  stream.resume()
  // Not the socket's own timeout: whatever the peer sends would begin it anew.
  let left = stream.writableLength
  const watch = setInterval(() => {
    if (stream.writableLength === left) stream.destroy()
    left = stream.writableLength
  }, FORWARD_DRAIN_MS)
  stream.once('close', () => clearInterval(watch))
  if (stream.writableFinished) stream.destroy()
  else stream.once('finish', () => stream.destroy())
}
