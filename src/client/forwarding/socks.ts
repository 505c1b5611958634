import { isIP, type Socket } from 'node:net'
import { SOCKS_MAX_BYTES, SOCKS_TIMEOUT_MS } from '../../core/limits.js'

const EMPTY = Buffer.alloc(0)
const CONNECT = 1
/** Of RFC 1928: no authentication is needed, none that we offer is acceptable. */
const METHOD = { NONE: 0, UNACCEPTABLE: 0xff } as const
const ADDRESS = { IPV4: 1, NAME: 3, IPV6: 4 } as const
const REPLY = { DONE: 0, FAILED: 5, COMMAND: 7, ADDRESS_TYPE: 8 } as const

/** Where a client of a SOCKS server wants to go, and how it is told what came of it. */
export interface SocksRequest {
  host: string
  port: number
  accept(): void
  /** Says no, and ends the connection. */
  refuse(): void
}

/**
 * The server's part of SOCKS 4, 4a and 5 (RFC 1928) before the data. Names are not looked up here: they go to the other
 * end. Undefined, and the socket is closed, for anything else than a wish to connect.
 */
export async function readSocksRequest(socket: Socket): Promise<SocksRequest | undefined> {
  const input = new Handshake(socket)
  try {
    const version = (await input.take(1))[0]
    if (version === 4) return await readVersion4(socket, input)
    if (version === 5) return await readVersion5(socket, input)
  } catch {
    // Too long, too slow, or gone in the middle: there is nobody to tell.
  } finally {
    input.release()
  }
  socket.destroySoon()
  return undefined
}

async function readVersion4(socket: Socket, input: Handshake): Promise<SocksRequest | undefined> {
  const head = await input.take(7)
  const address = head.subarray(3)
  await input.takeText() // the user's name
  // 4a: an address 0.0.0.x that can't be stands for a name behind it.
  const named = address.readUInt32BE(0) > 0 && address.readUInt32BE(0) < 256
  const host = named ? await input.takeText() : [...address].join('.')
  const reply = (code: number): Buffer => Buffer.concat([Buffer.from([0, code]), head.subarray(1)])
  const refuse = (): void => void socket.end(reply(91))
  if (head[0] !== CONNECT || host === '') {
    refuse()
    return undefined
  }
  return { host, port: head.readUInt16BE(1), accept: () => void socket.write(reply(90)), refuse }
}

async function readVersion5(socket: Socket, input: Handshake): Promise<SocksRequest | undefined> {
  const methods = await input.take((await input.take(1))[0] ?? 0)
  if (!methods.includes(METHOD.NONE)) {
    socket.end(Buffer.from([5, METHOD.UNACCEPTABLE]))
    return undefined
  }
  socket.write(Buffer.from([5, METHOD.NONE]))
  const [version, command, , type] = await input.take(4)
  // The address that we connect from is the other end's, and nobody's business.
  const reply = (code: number): Buffer => Buffer.from([5, code, 0, ADDRESS.IPV4, 0, 0, 0, 0, 0, 0])
  const host = await readAddress(input, type)
  if (version !== 5 || host === undefined || host === '' || command !== CONNECT) {
    socket.end(reply(host === undefined ? REPLY.ADDRESS_TYPE : REPLY.COMMAND))
    return undefined
  }
  const port = (await input.take(2)).readUInt16BE(0)
  return {
    host,
    port,
    accept: () => void socket.write(reply(REPLY.DONE)),
    refuse: () => void socket.end(reply(REPLY.FAILED)),
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
      return isIP(bare) === 6 ? bare : name
    }
    default:
      return undefined
  }
}

/** What a client says before the data; what it has said too early stays for the data. */
class Handshake {
  readonly #socket: Socket
  #buffer: Buffer = EMPTY
  #taken = 0
  #over = false
  #wake: () => void = () => undefined
  readonly #timer: NodeJS.Timeout
  readonly #onReadable = (): void => this.#wake()
  readonly #onEnd = (): void => {
    this.#over = true
    this.#wake()
  }

  constructor(socket: Socket) {
    this.#socket = socket
    this.#timer = setTimeout(this.#onEnd, SOCKS_TIMEOUT_MS)
    socket.on('readable', this.#onReadable).on('end', this.#onEnd).on('close', this.#onEnd)
  }

  async take(count: number): Promise<Buffer> {
    await this.#until(() => this.#buffer.length >= count)
    return this.#cut(count)
  }

  /** Up to a NUL byte. */
  async takeText(): Promise<string> {
    await this.#until(() => this.#buffer.includes(0))
    const text = this.#cut(this.#buffer.indexOf(0)).toString('utf8')
    this.#cut(1)
    return text
  }

  release(): void {
    clearTimeout(this.#timer)
    const socket = this.#socket
    socket.off('readable', this.#onReadable).off('end', this.#onEnd).off('close', this.#onEnd)
    if (this.#buffer.length > 0 && !socket.destroyed) socket.unshift(this.#buffer)
    this.#buffer = EMPTY
  }

  #cut(count: number): Buffer {
    const part = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    this.#taken += count
    return part
  }

  async #until(enough: () => boolean): Promise<void> {
    for (;;) {
      // All that there is: without that, 'readable' is not said again.
      for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) {
        this.#buffer = Buffer.concat([this.#buffer, chunk])
      }
      if (enough()) return
      if (this.#over) throw new Error('the client has gone')
      if (this.#taken + this.#buffer.length > SOCKS_MAX_BYTES) throw new Error('the client says too much')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #read(): Buffer | undefined {
    const chunk: unknown = this.#socket.read()
    return Buffer.isBuffer(chunk) ? chunk : undefined
  }
}
