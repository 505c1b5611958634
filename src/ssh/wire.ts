/**
 * The data types of RFC 4251 §5, read and written. Strings are bytes: whoever wants text decodes it, so that names
 * and commands that are not UTF-8 survive.
 */
export class Reader {
  #offset: number
  readonly #buffer: Buffer

  constructor(buffer: Buffer, offset = 0) {
    this.#buffer = buffer
    this.#offset = offset
  }

  get remaining(): number {
    return this.#buffer.length - this.#offset
  }

  byte(): number {
    this.#need(1)
    return this.#buffer.readUInt8(this.#offset++)
  }

  boolean(): boolean {
    return this.byte() !== 0
  }

  uint32(): number {
    this.#need(4)
    const value = this.#buffer.readUInt32BE(this.#offset)
    this.#offset += 4
    return value
  }

  uint64(): bigint {
    this.#need(8)
    const value = this.#buffer.readBigUInt64BE(this.#offset)
    this.#offset += 8
    return value
  }

  string(): Buffer {
    const length = this.uint32()
    this.#need(length)
    const value = this.#buffer.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    return value
  }

  /** A string that the RFCs define as UTF-8 or US-ASCII. */
  text(): string {
    return this.string().toString('utf8')
  }

  rest(): Buffer {
    const value = this.#buffer.subarray(this.#offset)
    this.#offset = this.#buffer.length
    return value
  }

  #need(count: number): void {
    if (this.remaining < count) throw new RangeError('the packet ends too early')
  }
}

export function byte(value: number): Buffer {
  return Buffer.from([value])
}

export function boolean(value: boolean): Buffer {
  return byte(value ? 1 : 0)
}

export function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4)
  buffer.writeUInt32BE(value >>> 0)
  return buffer
}

export function uint64(value: number | bigint): Buffer {
  const buffer = Buffer.allocUnsafe(8)
  buffer.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)))
  return buffer
}

export function string(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** Message numbers: RFC 4250 §4.1.2. */
export const MSG = {
  DISCONNECT: 1,
  UNIMPLEMENTED: 3,
  EXT_INFO: 7,
  KEXINIT: 20,
  USERAUTH_FIRST: 50,
  USERAUTH_REQUEST: 50,
  USERAUTH_BANNER: 53,
  USERAUTH_PK_OK: 60,
  GLOBAL_REQUEST: 80,
  REQUEST_SUCCESS: 81,
  REQUEST_FAILURE: 82,
  CHANNEL_OPEN: 90,
  CHANNEL_OPEN_CONFIRMATION: 91,
  CHANNEL_OPEN_FAILURE: 92,
  CHANNEL_WINDOW_ADJUST: 93,
  CHANNEL_DATA: 94,
  CHANNEL_EXTENDED_DATA: 95,
  CHANNEL_EOF: 96,
  CHANNEL_CLOSE: 97,
  CHANNEL_REQUEST: 98,
  CHANNEL_SUCCESS: 99,
  CHANNEL_FAILURE: 100,
} as const

/** Reasons of SSH_MSG_DISCONNECT: RFC 4250 §4.2.2. */
export const DISCONNECT = {
  PROTOCOL_ERROR: 2,
  CONNECTION_LOST: 10,
  BY_APPLICATION: 11,
  TOO_MANY_CONNECTIONS: 12,
  NO_MORE_AUTH_METHODS: 14,
} as const

/** Reasons of SSH_MSG_CHANNEL_OPEN_FAILURE: RFC 4250 §4.3. */
export const OPEN_FAILURE = {
  ADMINISTRATIVELY_PROHIBITED: 1,
  CONNECT_FAILED: 2,
  UNKNOWN_CHANNEL_TYPE: 3,
  RESOURCE_SHORTAGE: 4,
} as const
