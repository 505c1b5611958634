import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { connect } from '../../../src/client/connect.js'
import { Outlet } from '../../../src/ssh/outlet.js'
import { byte, MSG, string } from '../../../src/ssh/wire.js'
import { serve } from '../../../src/starter/serve.js'
import { streamPair } from '../../../src/streams/memory.js'
import { until, untilSettled } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { sessionKeys } from '../../helpers/raw-peer.js'
import { rawSession } from '../../helpers/session-pair.js'

// The real ones take minutes, and gigabytes.
jest.mock('../../../src/core/limits.js', () => ({
  ...jest.requireActual<typeof import('../../../src/core/limits.js')>('../../../src/core/limits.js'),
  LOGIN_GRACE_MS: 50,
  CLOSE_TIMEOUT_MS: 50,
  KEX_TIMEOUT_MS: 1_000,
  KEX_QUEUE_MAX_PACKETS: 100,
  TRANSPORT_BUFFER_MAX: 2 ** 16,
}))

const keys = sessionKeys()

describe('the limits of a connection', () => {
  it('end a client that says nothing, in time', async () => {
    const [serverStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle), { credentials: keys.server })
    expect(await served.closed).toMatchObject({
      code: 'authentication-failed',
      message: 'The client did not authenticate in time.',
    })
  })

  it('end a client that exchanges keys and does not authenticate', async () => {
    const session = await rawSession(memoryJob(idle), {}, { authenticate: false })
    expect(await session.served.closed).toMatchObject({ code: 'authentication-failed' })
    await session.close()
  })

  it('do not end a client that has authenticated', async () => {
    const session = await rawSession(memoryJob(idle))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await session.peer.open()
    await session.close()
  })

  it('end a connection to a server that says nothing', async () => {
    const [, clientStream] = streamPair()
    await expect(connect(clientStream, { credentials: keys.client })).rejects.toMatchObject({
      code: 'connection-lost',
      retry: true,
    })
    expect(clientStream.destroyed).toBe(true)
  })

  it('end a peer that begins a key exchange and does not finish it', async () => {
    const pair = await connectionPair()
    pair.client.stream.pause()
    pair.server.transport.rekey()
    expect(await pair.server.closed).toMatchObject({
      code: 'protocol-error',
      message: 'The other side did not finish the key exchange in time.',
    })
    await pair.close()
  })

  it('end a peer that piles up requests while keys are exchanged', async () => {
    const pair = await connectionPair()
    pair.client.stream.pause() // so the exchange stands still, and the answers have to wait for its end
    pair.server.transport.rekey()
    for (let i = 0; i < 300; i++) void pair.client.connection.request('keepalive@openssh.com')
    expect(await pair.server.closed).toMatchObject({
      code: 'protocol-error',
      message: 'The other side keeps sending requests during a key exchange.',
    })
    await pair.close()
  })

  it('let a stream go that takes nothing, though not all was said', async () => {
    const written: Buffer[] = []
    const stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => void written.push(chunk), // and never calls back
    })
    const outlet = new Outlet(stream, () => false)
    outlet.write(Buffer.from('farewell'))
    outlet.end()
    await once(stream, 'close')
    expect(Buffer.concat(written).toString()).toBe('farewell')
  })

  it('stop the reading from a peer that asks and does not take the answers', async () => {
    const session = await rawSession(memoryJob(idle))
    const { serverStream, clientStream, peer } = session
    const answers = (): Buffer[] => peer.messages.filter((message) => message[0] === MSG.REQUEST_SUCCESS)
    clientStream.pause()
    for (let i = 0; i < 20_000; i++) {
      peer.send(byte(MSG.GLOBAL_REQUEST), string('keepalive@openssh.com'), byte(1))
    }
    expect(await untilSettled(() => serverStream.writableLength)).toBeLessThan(2 ** 18)
    expect(serverStream.isPaused()).toBe(true)
    await until(() => {
      clientStream.resume() // its end has the same limit, and much to say
      return peer.messages.length >= 20_000 && answers().length >= 20_000
    })
    expect(answers().length).toBe(20_000)
    await session.close()
  })
})
