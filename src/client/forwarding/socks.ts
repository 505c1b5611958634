import { isIP } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { SOCKS_MAX_BYTES, SOCKS_TIMEOUT_MS } from '../../core/limits.js'
import { Handshake } from './handshake.js'

const CONNECT = 1
/** Of RFC 1928: no authentication is needed, none that we offer is acceptable. */
const METHOD = { NONE: 0, UNACCEPTABLE: 0xff } as const
const ADDRESS = { IPV4: 1, NAME: 3, IPV6: 4 } as const
const REPLY = { DONE: 0, FAILED: 5, COMMAND: 7, ADDRESS_TYPE: 8 } as const

/** The two directions of a client of a SOCKS server: a socket, or a channel. */
export interface SocksClient {
  input: Readable
  output: Writable
  /** Lets out what was written, and closes both directions. */
  close(): void
}

/** Where a client of a SOCKS server wants to go, and how it is told what came of it. */
export interface SocksRequest {
  host: string
  port: number
  accept(): void
  /** Says no, and ends the connection. */
  refuse(): void
}

/**
 * The server's part of SOCKS 4, 4a and 5 (RFC 1928) before the data. Names are not looked up here. Undefined, and the
 * client's connection is closed, for anything else than a wish to connect.
 */
export async function readSocksRequest(client: SocksClient): Promise<SocksRequest | undefined> {
  const input = new Handshake(client.input, { maxBytes: SOCKS_MAX_BYTES, timeoutMs: SOCKS_TIMEOUT_MS })
  try {
    const version = (await input.take(1))[0]
    const request = version === 4 ? readVersion4 : version === 5 ? readVersion5 : undefined
    const wish = await request?.(client, input)
    if (wish !== undefined) return wish
  } catch {
    // Too long, too slow, or gone in the middle: there is nobody to tell.
  } finally {
    input.release()
  }
  refuse(client)
  return undefined
}

/**
 * Serves a client up to the data: has what it wants connected, and tells it what came of that. Undefined where it wants
 * nothing that there is.
 * @throws what `connect` throws
 */
export async function serveSocks<T>(
  client: SocksClient,
  connect: (to: { host: string; port: number }) => Promise<T>,
): Promise<T | undefined> {
  const request = await readSocksRequest(client)
  if (request === undefined) return undefined
  const { host, port } = request
  try {
    const made = await connect({ host, port })
    request.accept()
    return made
  } catch (error) {
    request.refuse()
    throw error
  }
}

/** RFC 1928 §6: the connection ends shortly after a reply that says no. What the client still says is dropped. */
function refuse({ input, output, close }: SocksClient, reply?: Buffer): void {
  input.resume()
  if (reply !== undefined) output.write(reply)
  close()
}

async function readVersion4(client: SocksClient, input: Handshake): Promise<SocksRequest | undefined> {
  const head = await input.take(7)
  const address = head.subarray(3)
  await input.takeText() // the user's name
  // 4a: an address 0.0.0.x that can't be stands for a name behind it.
  const named = address.readUInt32BE(0) > 0 && address.readUInt32BE(0) < 256
  const host = named ? await input.takeText() : [...address].join('.')
  const reply = (code: number): Buffer => Buffer.concat([Buffer.from([0, code]), head.subarray(1)])
  if (head[0] !== CONNECT || host === '') {
    client.output.write(reply(91))
    return undefined
  }
  return {
    host,
    port: head.readUInt16BE(1),
    accept: () => void client.output.write(reply(90)),
    refuse: () => refuse(client, reply(91)),
  }
}

async function readVersion5(client: SocksClient, input: Handshake): Promise<SocksRequest | undefined> {
  const { output } = client
  const methods = await input.take((await input.take(1))[0] ?? 0)
  if (!methods.includes(METHOD.NONE)) {
    output.write(Buffer.from([5, METHOD.UNACCEPTABLE]))
    return undefined
  }
  output.write(Buffer.from([5, METHOD.NONE]))
  const [version, command, , type] = await input.take(4)
  // The address that we connect from is nobody's business.
  const reply = (code: number): Buffer => Buffer.from([5, code, 0, ADDRESS.IPV4, 0, 0, 0, 0, 0, 0])
  const host = await readAddress(input, type)
  if (version !== 5 || host === undefined || host === '' || command !== CONNECT) {
    output.write(reply(host === undefined ? REPLY.ADDRESS_TYPE : REPLY.COMMAND))
    return undefined
  }
  const port = (await input.take(2)).readUInt16BE(0)
  return {
    host,
    port,
    accept: () => void output.write(reply(REPLY.DONE)),
    refuse: () => refuse(client, reply(REPLY.FAILED)),
  }
}

async function readAddress(input: Handshake, type: number | undefined): Promise<string | undefined> {
  switch (type) {
    case ADDRESS.IPV4:
      return [...(await input.take(4))].join('.')
    case ADDRESS.IPV6: {
      const bytes = await input.take(16)
      return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':')
    }
    case ADDRESS.NAME: {
      const name = (await input.take((await input.take(1))[0] ?? 0)).toString('utf8')
      // Some clients write [::1].
      const bare = name.replace(/^\[(.*)\]$/, '$1')
      // getaddrinfo(3) would look up what is before a NUL byte.
      return isIP(bare) === 6 ? bare : name.includes('\0') ? '' : name
    }
    default:
      return undefined
  }
}
