import type { Socket } from 'node:net'
import { join } from 'node:path'
import { IncomingChannels } from '../../../src/client/forwarding/remote.js'
import { startShell } from '../../../src/client/process.js'
import { deferred } from '../../../src/core/deferred.js'
import type { Channel } from '../../../src/ssh/channel.js'
import type { ConnectionHandlers } from '../../../src/ssh/connection.js'
import { OPEN_FAILURE, string, uint32 } from '../../../src/ssh/wire.js'
import { until } from '../../helpers/bytes.js'
import { type ConnectionPair, connectionPair } from '../../helpers/connection-pair.js'
import { dial, echoSocket, serveSockets } from '../../helpers/sockets.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const PORT_IN_THE_JOB = 4711

/** Over a socket, which joins what is written in one turn of the event loop: both messages come in one chunk. */
async function socketPair(): Promise<[Socket, Socket]> {
  const { port, sockets } = await serveSockets(() => undefined)
  const client = await dial(port)
  await until(() => sockets.length === 1)
  return [sockets[0] ?? client, client]
}

/** A client's end, and a server that says what it likes. */
async function begin(
  onGlobalRequest: ConnectionHandlers['onGlobalRequest'],
): Promise<[ConnectionPair, IncomingChannels]> {
  const incoming = new IncomingChannels()
  const refuse = { refuse: OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE, message: 'no' }
  const pair = await connectionPair(await socketPair(), {
    server: { onChannelOpen: () => refuse, onGlobalRequest },
    client: {
      onChannelOpen: (type, data) => incoming.open(type, data) ?? refuse,
      onGlobalRequest: () => false,
    },
  })
  return [pair, incoming]
}

const forwarded = [string('localhost'), uint32(PORT_IN_THE_JOB), string('127.0.0.1'), uint32(1)]

describe('what a server opens', () => {
  const folder = temporaryDirectory()

  it('is taken also when it comes with the answer that names its port', async () => {
    const { port } = await serveSockets(echoSocket)
    const opened = deferred<Channel>()
    const [pair, incoming] = await begin(() => {
      queueMicrotask(() => {
        pair.server.connection.open('forwarded-tcpip', ...forwarded).then(opened.resolve, opened.reject)
      })
      return uint32(PORT_IN_THE_JOB)
    })
    const forwarding = incoming.forward(pair.client.connection, { port: 0 }, { host: '127.0.0.1', port }, {})
    await opened.promise
    expect((await forwarding).address).toEqual({ host: 'localhost', port: PORT_IN_THE_JOB })
    await pair.close()
  })

  it('for a port is taken where a socket is named like it', async () => {
    const { port } = await serveSockets(echoSocket)
    const [pair, incoming] = await begin(() => Buffer.alloc(0))
    const { connection } = pair.client
    await incoming.forward(connection, { port: PORT_IN_THE_JOB }, { host: '127.0.0.1', port }, {})
    const path = `${PORT_IN_THE_JOB} localhost`
    await incoming.forward(connection, { path }, { path: join(folder(), 'nobody') }, {})
    const channel = await pair.server.connection.open('forwarded-tcpip', ...forwarded)
    expect(channel.isClosed).toBe(false)
    await pair.close()
  })

  it.each([
    ['forwarded-tcpip', forwarded, 'this forwarding was not asked for.'],
    ['forwarded-streamlocal@openssh.com', [string('/a'), string('')], 'this forwarding was not asked for.'],
    ['auth-agent@openssh.com', [], 'no.'],
    ['x11', [string('127.0.0.1'), uint32(1)], 'no.'],
    ['session', [], 'no.'],
  ])('of type %s is refused where it was not asked for', async (type, data, why) => {
    const [pair] = await begin(() => false)
    await expect(pair.server.connection.open(type, ...data)).rejects.toMatchObject({
      code: 'channel-refused',
      message: expect.stringContaining(why),
    })
    await pair.close()
  })

  it('for a forwarding that the server refuses is not waited for', async () => {
    const [pair, incoming] = await begin(() => false)
    const to = { host: 'localhost', port: 80 }
    await expect(incoming.forward(pair.client.connection, { port: 80 }, to, {})).rejects.toMatchObject({
      code: 'request-refused',
    })
    await pair.close()
  })

  it('for the agent is taken while the session lasts that may use it, and no longer', async () => {
    const agent = join(folder(), 'agent')
    await serveSockets(echoSocket, agent)
    const incoming = new IncomingChannels()
    const session = deferred<Channel>()
    const accept = (channel: Channel): void => {
      channel.onRequest = () => true
      session.resolve(channel)
    }
    const refuse = { refuse: OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE, message: 'no' }
    const pair = await connectionPair(undefined, {
      server: { onChannelOpen: () => ({ accept }), onGlobalRequest: () => false },
      client: {
        onChannelOpen: (type, data) => incoming.open(type, data) ?? refuse,
        onGlobalRequest: () => false,
      },
    })
    const open = () => pair.server.connection.open('auth-agent@openssh.com')
    const remote = await startShell(pair.client.connection, { pty: false, agent }, incoming)
    ;(await open()).close()
    ;(await session.promise).close()
    await remote.ended.catch(() => undefined)
    await expect(open()).rejects.toMatchObject({ code: 'channel-refused' })
    await pair.close()
  })
})
