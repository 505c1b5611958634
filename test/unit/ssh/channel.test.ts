import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { PACKET_MAX, TRANSPORT_BUFFER, WINDOW_INITIAL, WINDOW_MAX } from '../../../src/core/limits.js'
import { streamPair } from '../../../src/streams/memory.js'
import { digest, readAll, sha256, until, untilSettled, writeInPieces } from '../../helpers/bytes.js'
import { type ConnectionPair, connectionPair } from '../../helpers/connection-pair.js'

const MIB = 2 ** 20
let pair: ConnectionPair

beforeEach(async () => {
  pair = await connectionPair()
})
afterEach(() => pair.close())

describe('a channel', () => {
  it('carries 3 MiB on stdout and on stderr at once, both exactly', async () => {
    const [client, server] = await pair.open()
    const [a, b] = [randomBytes(3 * MIB), randomBytes(3 * MIB)]
    const received = Promise.all([digest(client.input), digest(client.inputExtended)])
    await Promise.all([writeInPieces(server.output, a), writeInPieces(server.outputExtended, b)])
    server.output.end()
    expect(await received).toEqual([sha256(a), sha256(b)])
  })

  it('lets stderr out before EOF, which ends stdout and stderr', async () => {
    const [client, server] = await pair.open()
    const b = randomBytes(3 * MIB)
    server.outputExtended.write(b)
    server.output.end('the end')
    const received = await Promise.all([readAll(client.input), digest(client.inputExtended)])
    expect(received).toEqual([Buffer.from('the end'), sha256(b)])
  })

  it('ends one direction and loses nothing of the other', async () => {
    const [client, server] = await pair.open()
    const answer = randomBytes(3 * MIB)
    const got = digest(client.input)
    client.output.end('the question')
    expect((await readAll(server.input)).toString()).toBe('the question')
    await writeInPieces(server.output, answer)
    server.output.end()
    expect(await got).toBe(sha256(answer))
  })

  it('ends the other direction first and loses nothing of this one', async () => {
    const [client, server] = await pair.open()
    server.output.end()
    await readAll(client.input)
    const data = randomBytes(3 * MIB)
    const got = digest(server.input)
    await writeInPieces(client.output, data)
    client.output.end()
    expect(await got).toBe(sha256(data))
  })

  it('keeps what arrives before anybody reads', async () => {
    const [client, server] = await pair.open()
    const data = randomBytes(MIB)
    client.output.end(data)
    await untilSettled(() => server.input.unread)
    expect(await digest(server.input)).toBe(sha256(data))
  })

  it('delivers to the end what was read in small steps behind its arrival', async () => {
    const [client, server] = await pair.open()
    const data = randomBytes(300_000)
    await writeInPieces(client.output, data)
    client.output.end()
    const chunks: Buffer[] = []
    for (let size = 1; ; size = (size * 5 + 3) % 4_001) {
      const chunk: unknown = server.input.read(size) ?? server.input.read()
      if (Buffer.isBuffer(chunk)) chunks.push(chunk)
      else if (server.input.readableEnded) break
      else await Promise.race([once(server.input, 'readable'), once(server.input, 'end')])
    }
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(data))
  })

  it('takes no more than its window from a peer whose data nobody reads', async () => {
    const [client, server] = await pair.open()
    client.output.write(Buffer.alloc(4 * WINDOW_INITIAL))
    expect(await untilSettled(() => server.input.unread)).toBe(WINDOW_INITIAL)
  })

  it('leaves the window as it is for a reader that is always behind', async () => {
    const [client, server] = await pair.open()
    client.output.write(Buffer.alloc(8 * WINDOW_INITIAL))
    for (let round = 0; round < 10; round++) {
      await untilSettled(() => server.input.unread)
      for (let read = 0; read < WINDOW_INITIAL / 2; ) {
        const chunk: unknown = server.input.read()
        if (Buffer.isBuffer(chunk)) read += chunk.length
      }
    }
    expect(await untilSettled(() => server.input.unread)).toBeLessThanOrEqual(WINDOW_INITIAL)
  })

  it('counts stdout and stderr against one window', async () => {
    const [client, server] = await pair.open()
    server.output.write(Buffer.alloc(4 * WINDOW_INITIAL))
    server.outputExtended.write(Buffer.alloc(4 * WINDOW_INITIAL))
    const unread = (): number => client.input.unread + client.inputExtended.unread
    expect(await untilSettled(unread)).toBe(WINDOW_INITIAL)
  })

  it('gives the window back when its reader goes away, so that the peer is not stuck', async () => {
    const [client, server] = await pair.open()
    let written = false
    client.output.write(Buffer.alloc(2 * WINDOW_INITIAL), () => {
      written = true
    })
    await untilSettled(() => server.input.unread)
    expect(written).toBe(false)
    server.input.destroy()
    await until(() => written)
  })

  it('tells the peer with eow@openssh.com that nobody reads what it sends', async () => {
    const [client, server] = await pair.open()
    const requests: string[] = []
    client.onRequest = (name) => requests.push(name) > 0
    server.input.destroy()
    client.output.write('a')
    client.output.write('b')
    await until(() => requests.length > 0)
    await client.request('one round trip')
    expect(requests).toEqual(['eow@openssh.com'])
  })

  it('sends no more than its buffer into a stream that takes nothing', async () => {
    const streams = streamPair()
    const slow = await connectionPair(streams)
    const [, server] = await slow.open()
    slow.client.stream.pause()
    server.output.write(Buffer.alloc(WINDOW_MAX))
    const waiting = await untilSettled(() => slow.server.stream.writableLength)
    expect(waiting).toBeGreaterThan(TRANSPORT_BUFFER * 0.9)
    expect(waiting).toBeLessThan(TRANSPORT_BUFFER + 2 * PACKET_MAX)
    await slow.close()
  })

  it('answers requests in their order, each with its own outcome', async () => {
    const [client, server] = await pair.open()
    server.onRequest = (name) => name === 'yes'
    const answers = Promise.all(['yes', 'no', 'yes', 'no', 'no', 'yes'].map((name) => client.request(name)))
    expect(await answers).toEqual([true, false, true, false, false, true])
  })

  it('gives a request that is still open a false when the channel closes', async () => {
    const [client, server] = await pair.open()
    server.onRequest = () => {
      server.close()
      return true
    }
    expect(await client.request('anything')).toBe(false)
    expect(await client.request('afterwards')).toBe(false)
  })

  it('is gone at both ends after a close, and resolves without a cause', async () => {
    const [client, server] = await pair.open()
    client.close()
    expect(await Promise.all([client.closed, server.closed])).toEqual([undefined, undefined])
    expect(pair.client.connection.channels.size + pair.server.connection.channels.size).toBe(0)
  })

  it('delivers what had arrived when the connection is lost, and fails then', async () => {
    const [client, server] = await pair.open()
    const data = randomBytes(MIB)
    server.output.write(data)
    await until(() => client.input.unread === data.length)
    pair.server.stream.destroy()
    expect(await client.closed).toMatchObject({ code: 'connection-lost' })
    const chunks: Buffer[] = []
    client.input.on('data', (chunk: Buffer) => chunks.push(chunk))
    const [error] = await once(client.input, 'error')
    expect(error).toMatchObject({ code: 'connection-lost' })
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(data))
  })

  it('fails a writer that waits when the connection is lost', async () => {
    const [client] = await pair.open()
    const failed = new Promise((resolve) => client.output.write(Buffer.alloc(2 * WINDOW_INITIAL), resolve))
    pair.server.stream.destroy()
    expect(await failed).toBeInstanceOf(Error)
    expect(client.output.destroyed).toBe(true)
  })
})
