import { abortError } from '../../core/errors.js'
import { onAbort } from '../../core/on-abort.js'
import { orAbort } from '../../core/or-abort.js'
import type { Channel } from '../../ssh/channel.js'
import { ChannelStream } from '../../ssh/channel-stream.js'
import type { Connection } from '../../ssh/connection.js'
import { string, uint32 } from '../../ssh/wire.js'
import type { Endpoint, OpenOptions } from './types.js'

/** Who connects: RFC 4254 §7.2 wants an address. */
export interface Origin {
  host: string
  port: number
}

const HERE: Origin = { host: '127.0.0.1', port: 0 }

/**
 * Asks the server to connect.
 * @throws SshjobError 'channel-refused' with what it says, or why the connection ended
 */
export function openChannel(
  connection: Connection,
  target: Endpoint,
  origin: Origin = HERE,
): Promise<Channel> {
  if (target.path !== undefined) {
    return connection.open('direct-streamlocal@openssh.com', string(target.path), string(''), uint32(0))
  }
  const to = [string(target.host), uint32(target.port)]
  return connection.open('direct-tcpip', ...to, string(origin.host), uint32(origin.port))
}

/** A connection that the server makes, as a stream. */
export async function openStream(
  connection: Connection,
  target: Endpoint,
  { signal }: OpenOptions,
): Promise<ChannelStream> {
  if (signal?.aborted) throw abortError(signal)
  const channel = await orAbort(openChannel(connection, target), signal, (late) => late.close())
  const stream = new ChannelStream(channel)
  stream.once(
    'close',
    onAbort(signal, (reason) => stream.destroy(reason)),
  )
  return stream
}
