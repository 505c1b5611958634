import type Protocol from 'ssh2/lib/protocol/Protocol.js'
import { Ssh2PacketProtocol } from '../../src/ssh/ssh2/packet-protocol.js'
import type { Transport } from '../../src/ssh/transport.js'

/** ssh2's own protocol under a transport, for tests that watch it or put something in its way. */
export function ssh2Of({ packets }: Transport): Protocol {
  if (!(packets instanceof Ssh2PacketProtocol)) throw new Error('This transport does not stand on ssh2.')
  return packets.ssh2
}
