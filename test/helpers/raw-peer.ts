import type { Duplex } from 'node:stream'
import { deferred } from '../../src/core/deferred.js'
import type { SshjobError } from '../../src/core/errors.js'
import { silent } from '../../src/core/log.js'
import { offerKey, requestAuthentication } from '../../src/ssh/authentication.js'
import { generateKey, parseKey } from '../../src/ssh/keys.js'
import { Transport } from '../../src/ssh/transport.js'
import { boolean, byte, MSG, Reader, string, uint32 } from '../../src/ssh/wire.js'
import { ssh2Of } from './ssh2-protocol.js'

export interface RawPeerOptions {
  /** As generateKey() gives them. */
  privateKey: string
  hostKey: string
  username?: string
  /** False: stops after the key exchange, unauthenticated. Default: true. */
  authenticate?: boolean
}

/** A client that says what it likes, and remembers every message that it is sent. */
export interface RawPeer {
  transport: Transport
  /** Payloads of every message outside of key exchanges, in the order of the wire. */
  messages: Buffer[]
  closed: Promise<SshjobError | undefined>
  send(...parts: Buffer[]): void
  /** The first message that fits, arrived or still to come; rejects when the connection ends first. */
  waitFor(fits: (message: Buffer) => boolean): Promise<Buffer>
  /** Opens a session channel whose number at our end is `id`; gives the number that the server knows it by. */
  open(id?: number, window?: number, packetMax?: number): Promise<number>
  /** Sends a channel request that wants a reply; resolves with it. One at a time. */
  request(channel: number, name: string, ...data: Buffer[]): Promise<boolean>
}

/** Connects over a stream on which a server with these keys listens, or will. */
export async function rawPeer(stream: Duplex, options: RawPeerOptions): Promise<RawPeer> {
  const { authenticate = true, username = 'user' } = options
  const messages: Buffer[] = []
  const watchers = new Set<() => void>()
  const ready = deferred<void>()
  const closing = deferred<SshjobError | undefined>()
  const hostKey = parseKey(options.hostKey)
  const end = { close: (cause: SshjobError) => transport.close(cause) }
  const authenticated = (): void => {
    transport.authenticated = true
    ready.resolve()
  }
  const transport: Transport = new Transport({
    stream,
    side: { role: 'client', hostKey },
    handlers: authenticate ? offerKey(username, parseKey(options.privateKey), end, authenticated) : {},
    onReady: () => (authenticate ? requestAuthentication(transport.authentication) : ready.resolve()),
    onMessage: () => undefined,
    onClosed: (cause) => {
      closing.resolve(cause)
      for (const watch of [...watchers]) watch()
    },
    log: silent,
  })
  const receive = ssh2Of(transport)._onPayload
  ssh2Of(transport)._onPayload = (payload) => {
    messages.push(Buffer.from(payload))
    for (const watch of [...watchers]) watch()
    return receive(payload)
  }
  const endedEarly = closing.promise.then((cause) => {
    throw cause ?? new Error('the connection was closed before it was ready')
  })
  await Promise.race([ready.promise, endedEarly])
  endedEarly.catch(() => undefined)

  const waitFor = (fits: (message: Buffer) => boolean, from = 0): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const found = messages.slice(from).find(fits)
        if (found === undefined && !transport.closed) return
        watchers.delete(watch)
        if (found !== undefined) resolve(found)
        else closing.promise.then((cause) => reject(cause ?? new Error('the connection was closed')))
      }
      watchers.add(watch)
      watch()
    })
  const send = (...parts: Buffer[]): void => transport.send(...parts)

  return {
    transport,
    messages,
    closed: closing.promise,
    send,
    waitFor,
    async open(id = 0, window = 2 ** 21, packetMax = 32_768) {
      send(byte(MSG.CHANNEL_OPEN), string('session'), uint32(id), uint32(window), uint32(packetMax))
      const answer = await waitFor((m) => isAbout(m, MSG.CHANNEL_OPEN_CONFIRMATION, id))
      return answer.readUInt32BE(5)
    },
    async request(channel, name, ...data) {
      const from = messages.length
      send(byte(MSG.CHANNEL_REQUEST), uint32(channel), string(name), boolean(true), ...data)
      const answer = await waitFor((m) => m[0] === MSG.CHANNEL_SUCCESS || m[0] === MSG.CHANNEL_FAILURE, from)
      return answer[0] === MSG.CHANNEL_SUCCESS
    },
  }
}

/** Whether a message is of this type and about the channel that we call `id`. */
export function isAbout(message: Buffer, type: number, id: number): boolean {
  return message[0] === type && message.readUInt32BE(1) === id
}

/** What a server sent on our channel `id`, one word each, its data joined: ['data abc', 'exit-status 0', 'eof', …]. */
export function transcript(messages: readonly Buffer[], id: number): string[] {
  const lines: string[] = []
  let dataKind = ''
  for (const message of messages) {
    const reader = new Reader(message)
    const type = reader.byte()
    if (type < MSG.CHANNEL_WINDOW_ADJUST || reader.uint32() !== id) continue
    const kind = { [MSG.CHANNEL_DATA]: 'data', [MSG.CHANNEL_EXTENDED_DATA]: 'stderr' }[type]
    if (kind !== undefined) {
      if (kind === 'stderr') reader.uint32()
      const text = reader.string().toString('latin1')
      if (dataKind === kind) lines.push(`${lines.pop()}${text}`)
      else lines.push(`${kind} ${text}`)
      dataKind = kind
      continue
    }
    if (type === MSG.CHANNEL_WINDOW_ADJUST) continue
    dataKind = ''
    lines.push(describe(type, reader))
  }
  return lines
}

function describe(type: number, reader: Reader): string {
  switch (type) {
    case MSG.CHANNEL_EOF:
      return 'eof'
    case MSG.CHANNEL_CLOSE:
      return 'close'
    case MSG.CHANNEL_SUCCESS:
      return 'success'
    case MSG.CHANNEL_FAILURE:
      return 'failure'
    case MSG.CHANNEL_REQUEST: {
      const name = reader.text()
      reader.boolean()
      if (name === 'exit-status') return `${name} ${reader.uint32()}`
      return name === 'exit-signal' ? `${name} ${reader.text()}` : name
    }
    default:
      return `message ${type}`
  }
}

/** Keys of a session for both ends of it, as serve() and rawPeer() take them. */
export function sessionKeys() {
  const host = generateKey()
  const client = generateKey()
  return {
    server: { hostPrivateKey: host.privateKey, clientPublicKey: client.publicKey },
    client: { privateKey: client.privateKey, hostKey: host.publicKey },
  }
}
