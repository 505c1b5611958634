import type { Socket } from 'node:net'
import { joinSocket } from '../../../src/ssh/join.js'
import { until } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { dial, serveSockets } from '../../helpers/sockets.js'

/** A socket whose peer has given it up, as far as this end knows already. */
async function lostSocket(): Promise<Socket> {
  const { port, sockets } = await serveSockets(() => undefined)
  const peer = await dial(port)
  await until(() => sockets.length > 0)
  const [socket] = sockets
  if (socket === undefined) throw new Error('nobody has connected')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  peer.resetAndDestroy()
  await closed
  return socket
}

it('a channel whose socket has gone before they could be joined is closed', async () => {
  const pair = await connectionPair()
  const [channel, other] = await pair.open()
  joinSocket(other, await lostSocket())
  expect(await channel.closed).toBeUndefined()
  await pair.close()
})
