import type { Socket } from 'node:net'
import { joinStream } from '../../../src/ssh/join.js'
import { until } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { dial, serveSockets } from '../../helpers/sockets.js'

// The real one is seconds long.
jest.mock('../../../src/core/limits.js', () => ({
  ...jest.requireActual<typeof import('../../../src/core/limits.js')>('../../../src/core/limits.js'),
  FORWARD_DRAIN_MS: 1_000,
}))

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
  joinStream(other, await lostSocket())
  expect(await channel.closed).toBeUndefined()
  await pair.close()
})

it('a peer that only sends keeps its socket no longer than one that does nothing', async () => {
  const { port, sockets } = await serveSockets(() => undefined)
  const peer = await dial(port)
  peer.pause()
  peer.on('error', () => undefined)
  await until(() => sockets.length > 0)
  const [socket] = sockets
  if (socket === undefined) throw new Error('nobody has connected')
  const pair = await connectionPair()
  const [channel, other] = await pair.open()
  joinStream(other, socket)
  // More than the peer's side takes without reading.
  const flood = Buffer.alloc(2 ** 20)
  while (socket.writableLength === 0) {
    if (!channel.output.write(flood)) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const chatter = setInterval(() => peer.write('still here'), 5)
  channel.close()
  await until(() => socket.destroyed)
  clearInterval(chatter)
  peer.destroy()
  await pair.close()
})
