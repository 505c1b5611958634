import { deferred } from '../../../src/core/deferred.js'
import {
  MAX_CHANNELS,
  MAX_FORWARDED_CHANNELS,
  MAX_WAITING_GLOBAL_REQUESTS,
  WINDOW_INITIAL,
} from '../../../src/core/limits.js'
import type { OpenAnswer } from '../../../src/ssh/connection.js'
import { boolean, byte, MSG, OPEN_FAILURE, Reader, string, uint32 } from '../../../src/ssh/wire.js'
import { turnOfEventLoop, untilSettled } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { echo, idle, memoryJob } from '../../helpers/memory-job.js'
import { isAbout } from '../../helpers/raw-peer.js'
import { type RawSession, rawSession } from '../../helpers/session-pair.js'

const PROTOCOL_ERROR = 'The SSH protocol was broken: '
let bystander: RawSession

beforeEach(async () => {
  bystander = await rawSession(memoryJob(echo))
})

/** Whatever a client does, the others don't notice. */
afterEach(async () => {
  const channel = await bystander.peer.open()
  expect(await bystander.peer.request(channel, 'exec', string('anything'))).toBe(true)
  await bystander.close()
})

describe('a client that breaks the protocol', () => {
  const channel = uint32(0)
  it.each<[string, Buffer[], string]>([
    ['closes a channel that there is not', [byte(MSG.CHANNEL_CLOSE), uint32(77)], 'there is no channel 77'],
    ['sends data to no channel', [byte(MSG.CHANNEL_DATA), uint32(77), string('')], 'there is no channel 77'],
    [
      'confirms a channel that nobody asked for',
      [byte(MSG.CHANNEL_OPEN_CONFIRMATION), uint32(5), Buffer.alloc(12)],
      'channel 5 was not asked for',
    ],
    [
      'refuses a channel that nobody asked for',
      [byte(MSG.CHANNEL_OPEN_FAILURE), uint32(5), Buffer.alloc(12)],
      'channel 5 was not asked for',
    ],
    [
      'sends a message that ends too early',
      [byte(MSG.CHANNEL_DATA), channel, uint32(10), byte(1)],
      'the packet ends too early',
    ],
    ['sends a channel message without a channel', [byte(MSG.CHANNEL_EOF)], 'the packet ends too early'],
    ['sends a request without a name', [byte(MSG.CHANNEL_REQUEST), channel], 'the packet ends too early'],
    [
      'sends a global request of half a name',
      [byte(MSG.GLOBAL_REQUEST), uint32(2 ** 31), byte(1)],
      'the packet ends too early',
    ],
    [
      'opens a channel with half of the numbers',
      [byte(MSG.CHANNEL_OPEN), string('session'), uint32(1)],
      'the packet ends too early',
    ],
    [
      'grows a window past 2^32-1',
      [byte(MSG.CHANNEL_WINDOW_ADJUST), channel, uint32(2 ** 32 - 1)],
      'a window grew past 2^32-1',
    ],
  ])('by a message that %s is cut off', async (_title, message, reason) => {
    const session = await rawSession(memoryJob(idle))
    await session.peer.open()
    session.peer.send(...message)
    expect(await session.served.closed).toMatchObject({
      code: 'protocol-error',
      message: `${PROTOCOL_ERROR}${reason}.`,
    })
    expect(await session.peer.closed).toMatchObject({ code: 'connection-closed' })
  })

  it('by sending more than its window is cut off', async () => {
    const session = await rawSession(memoryJob(idle))
    const id = await session.peer.open()
    const packet = Buffer.alloc(32_768)
    for (let sent = 0; sent <= WINDOW_INITIAL; sent += packet.length) {
      session.peer.send(byte(MSG.CHANNEL_DATA), uint32(id), string(packet))
    }
    expect(await session.served.closed).toMatchObject({
      code: 'protocol-error',
      message: `${PROTOCOL_ERROR}the peer sent more than its window allows.`,
    })
  })

  it('may fill its window to the last byte, on stdout, stderr and kinds that nobody knows', async () => {
    const session = await rawSession(memoryJob(idle))
    const id = await session.peer.open()
    const third = Buffer.alloc(WINDOW_INITIAL / 64)
    for (let i = 0; i < 63; i++) session.peer.send(byte(MSG.CHANNEL_DATA), uint32(id), string(third))
    const kind = uint32(77)
    session.peer.send(byte(MSG.CHANNEL_EXTENDED_DATA), uint32(id), kind, string(third))
    expect(await session.peer.request(id, 'env', string('A'), string('b'))).toBe(true)
    await session.close()
  })
})

describe('a connection', () => {
  it('answers messages that it does not know with UNIMPLEMENTED, and goes on', async () => {
    const session = await rawSession(memoryJob(idle))
    const types = [8, 19, 21, 22, 30, 49, 54, 59, 62, 79, 83, 89, 101, 127, 128, 191, 192, 255]
    for (const type of types) session.peer.send(byte(type), string('what?'))
    await session.peer.open()
    const answers = session.peer.messages.filter((message) => message[0] === MSG.UNIMPLEMENTED)
    const sequence = answers.map((message) => message.readUInt32BE(1))
    expect(sequence).toEqual(types.map((_type, index) => (sequence[0] ?? 0) + index))
    await session.close()
  })

  it('refuses the channel after the most that it allows, and takes one again when one was closed', async () => {
    const session = await rawSession(memoryJob(idle))
    const { peer } = session
    const ids: number[] = []
    for (let i = 0; i < MAX_CHANNELS; i++) ids.push(await peer.open(i))
    expect(session.served.channels).toBe(MAX_CHANNELS)
    peer.send(byte(MSG.CHANNEL_OPEN), string('session'), uint32(9999), uint32(1), uint32(1))
    const refusal = new Reader(await peer.waitFor((m) => isAbout(m, MSG.CHANNEL_OPEN_FAILURE, 9999)), 5)
    expect(refusal.uint32()).toBe(OPEN_FAILURE.RESOURCE_SHORTAGE)
    peer.send(byte(MSG.CHANNEL_CLOSE), uint32(ids[7] ?? 0))
    await peer.open(9999)
    await session.close()
  })

  it.each([
    ['of another type', string('x11'), uint32(1000), OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE],
    ['whose packets carry nothing', string('session'), uint32(0), OPEN_FAILURE.CONNECT_FAILED],
  ])('refuses a channel %s', async (_title, type, packetMax, reason) => {
    const session = await rawSession(memoryJob(idle))
    session.peer.send(byte(MSG.CHANNEL_OPEN), type, uint32(3), uint32(1000), packetMax)
    const answer = await session.peer.waitFor((m) => isAbout(m, MSG.CHANNEL_OPEN_FAILURE, 3))
    expect(answer.readUInt32BE(5)).toBe(reason)
    await session.close()
  })

  it('refuses sessions to a client that asked for no more of them', async () => {
    const session = await rawSession(memoryJob(idle))
    await session.peer.open(1)
    session.peer.send(byte(MSG.GLOBAL_REQUEST), string('no-more-sessions@openssh.com'), boolean(false))
    session.peer.send(byte(MSG.CHANNEL_OPEN), string('session'), uint32(2), uint32(1000), uint32(1000))
    const answer = await session.peer.waitFor((m) => isAbout(m, MSG.CHANNEL_OPEN_FAILURE, 2))
    expect(answer.readUInt32BE(5)).toBe(OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED)
    await session.close()
  })

  it('answers global requests in their order, also during a key exchange', async () => {
    const session = await rawSession(memoryJob(idle))
    const { peer } = session
    const names = ['keepalive@openssh.com', 'unheard-of', 'unheard-of-too', 'keepalive@openssh.com']
    peer.transport.rekey()
    for (const name of names) peer.send(byte(MSG.GLOBAL_REQUEST), string(name), boolean(true))
    peer.send(byte(MSG.GLOBAL_REQUEST), string('wants-none'), boolean(false))
    await peer.open()
    const answers = peer.messages.map((message) => message[0]).filter((type) => type === 81 || type === 82)
    expect(answers).toEqual([
      MSG.REQUEST_SUCCESS,
      MSG.REQUEST_FAILURE,
      MSG.REQUEST_FAILURE,
      MSG.REQUEST_SUCCESS,
    ])
    await session.close()
  })

  it('gives up what it was about to accept when it ends first', async () => {
    const decision = deferred<OpenAnswer>()
    const done: string[] = []
    const onChannelOpen = (): Promise<OpenAnswer> => decision.promise
    const pair = await connectionPair(undefined, { server: { onChannelOpen, onGlobalRequest: () => false } })
    const opening = pair.client.connection.open('slow').catch(() => undefined)
    await untilSettled(() => pair.server.stream.readableLength)
    await pair.close()
    await opening
    decision.resolve({ accept: () => void done.push('accepted'), abandon: () => void done.push('given up') })
    await turnOfEventLoop()
    expect(done).toEqual(['given up'])
    expect(pair.server.connection.channels.size).toBe(0)
  })

  it.each([
    ['session', MAX_CHANNELS, 'The server refused the session'],
    ['slow', MAX_FORWARDED_CHANNELS, 'The other side refused to connect'],
  ])('counts %s channels that have no answer yet among those that there may be', async (type, most, what) => {
    const onChannelOpen = (): Promise<OpenAnswer> => new Promise(() => undefined)
    const pair = await connectionPair(undefined, { server: { onChannelOpen, onGlobalRequest: () => false } })
    const openings = Array.from({ length: most + 1 }, () => pair.client.connection.open(type))
    const refused = await Promise.race(
      openings.map((opening) => opening.then(String, (error: Error) => error.message)),
    )
    expect(refused).toBe(`${what}: more than ${most} channels are open.`)
    await pair.close()
    await Promise.allSettled(openings)
  })

  it('opens no channel once it is over, and says why', async () => {
    const pair = await connectionPair()
    const opening = pair.client.connection.open('session')
    pair.client.stream.destroy()
    await expect(opening).rejects.toMatchObject({ code: 'connection-lost' })
    await expect(pair.client.connection.open('session')).rejects.toMatchObject({ code: 'connection-lost' })
    expect(await pair.client.connection.request('keepalive@openssh.com')).toBeUndefined()
    await pair.close()
  })

  it.each([
    ['half a confirmation', [byte(MSG.CHANNEL_OPEN_CONFIRMATION)], [], 'the packet ends too early'],
    [
      'packets that carry nothing',
      [byte(MSG.CHANNEL_OPEN_CONFIRMATION)],
      [uint32(0), uint32(1), uint32(0)],
      'a packet size of 0 carries nothing',
    ],
    ['half a refusal', [byte(MSG.CHANNEL_OPEN_FAILURE)], [uint32(1)], 'the packet ends too early'],
  ])(
    'tells whoever waits for a channel of an answer that is none: %s',
    async (_title, head, tail, reason) => {
      const onChannelOpen = (): Promise<OpenAnswer> => new Promise(() => undefined)
      const pair = await connectionPair(undefined, {
        server: { onChannelOpen, onGlobalRequest: () => false },
      })
      const opening = pair.client.connection.open('session')
      pair.server.transport.send(...head, uint32(0), ...tail)
      await expect(opening).rejects.toMatchObject({
        code: 'protocol-error',
        message: `${PROTOCOL_ERROR}${reason}.`,
      })
      await pair.close()
    },
  )
})

it('as many global requests may wait for an answer as may, and no more', async () => {
  const first = deferred<boolean>()
  let waiting: Promise<boolean> = first.promise
  let asked = 0
  const pair = await connectionPair(undefined, {
    server: {
      onChannelOpen: () => ({ refuse: OPEN_FAILURE.CONNECT_FAILED, message: 'no' }),
      onGlobalRequest: () => (++asked === 1 ? waiting : true),
    },
  })
  const requests = Array.from({ length: MAX_WAITING_GLOBAL_REQUESTS }, () =>
    pair.client.connection.request('a'),
  )
  await untilSettled(() => asked)
  expect(asked).toBe(MAX_WAITING_GLOBAL_REQUESTS)
  first.resolve(true)
  for (const answer of await Promise.all(requests)) expect(answer).toEqual(Buffer.alloc(0))

  asked = 0
  waiting = deferred<boolean>().promise
  for (let i = 0; i <= MAX_WAITING_GLOBAL_REQUESTS; i++) pair.client.connection.notify('a')
  expect(await pair.server.closed).toMatchObject({
    code: 'protocol-error',
    message: `${PROTOCOL_ERROR}too many requests wait.`,
  })
  expect(asked).toBe(MAX_WAITING_GLOBAL_REQUESTS)
  await pair.close()
})
