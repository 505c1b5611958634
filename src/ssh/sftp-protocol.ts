/** The SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02): what both ends need of it. */
import { Reader, uint32, uint64 } from './wire.js'

export const SFTP_VERSION = 3

/** Packet types: §3. */
export const FXP = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const

/** Codes of STATUS: §7. */
export const FX = {
  OK: 0,
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  BAD_MESSAGE: 5,
  OP_UNSUPPORTED: 8,
} as const

/** Flags of OPEN: §6.3. */
export const FXF = { READ: 1, WRITE: 2, APPEND: 4, CREAT: 8, TRUNC: 16, EXCL: 32 } as const

/** Which attributes are there: §5. */
const ATTR = { SIZE: 1, UIDGID: 2, PERMISSIONS: 4, ACMODTIME: 8, EXTENDED: 0x80_00_00_00 } as const

/** What a packet says of a file; each part may be missing. */
export interface Attributes {
  size?: bigint
  owner?: { uid: number; gid: number }
  /** Type and permissions, as st_mode of stat(2). */
  mode?: number
  /** Seconds since 1970. */
  times?: { atime: number; mtime: number }
}

export function encodeAttributes({ size, owner, mode, times }: Attributes): Buffer {
  const flags =
    (size === undefined ? 0 : ATTR.SIZE) |
    (owner === undefined ? 0 : ATTR.UIDGID) |
    (mode === undefined ? 0 : ATTR.PERMISSIONS) |
    (times === undefined ? 0 : ATTR.ACMODTIME)
  return Buffer.concat([
    uint32(flags),
    ...(size === undefined ? [] : [uint64(size)]),
    ...(owner === undefined ? [] : [uint32(owner.uid), uint32(owner.gid)]),
    ...(mode === undefined ? [] : [uint32(mode)]),
    ...(times === undefined ? [] : [uint32(times.atime), uint32(times.mtime)]),
  ])
}

export function decodeAttributes(data: Reader): Attributes {
  const flags = data.uint32()
  const attributes: Attributes = {}
  if (flags & ATTR.SIZE) attributes.size = data.uint64()
  if (flags & ATTR.UIDGID) attributes.owner = { uid: data.uint32(), gid: data.uint32() }
  if (flags & ATTR.PERMISSIONS) attributes.mode = data.uint32()
  if (flags & ATTR.ACMODTIME) attributes.times = { atime: data.uint32(), mtime: data.uint32() }
  if (flags & ATTR.EXTENDED) {
    for (let left = data.uint32(); left > 0; left--) {
      data.string()
      data.string()
    }
  }
  return attributes
}

/** The length, the type, and the parts: a packet as it goes onto the wire. */
export function makePacket(type: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 1)
  const packet = Buffer.allocUnsafe(4 + length)
  packet.writeUInt32BE(length)
  packet[4] = type
  let at = 5
  for (const part of parts) at += part.copy(packet, at)
  return packet
}

const LENGTH_BYTES = 4
const EMPTY = Buffer.alloc(0)

/**
 * Cuts what arrives into packets. Holds the last chunk and one packet that is not complete yet, however small the
 * pieces are that it comes in.
 */
export class PacketSplitter {
  readonly #max: number
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  #lengthFilled = 0
  #packet: Buffer | undefined
  #filled = 0
  #rest: Buffer = EMPTY

  /** Packets longer than `max` bytes, without their length field, are refused. */
  constructor(max: number) {
    this.#max = max
  }

  add(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
  }

  /**
   * The next packet, without its length, or undefined if it is not there yet.
   * @throws RangeError where a length is 0 or above the limit: there is no way to go on then
   */
  take(): Reader | undefined {
    if (this.#packet === undefined) {
      this.#lengthFilled += this.#move(this.#length, this.#lengthFilled)
      if (this.#lengthFilled < LENGTH_BYTES) return undefined
      const length = this.#length.readUInt32BE()
      if (length === 0 || length > this.#max) throw new RangeError(`an SFTP packet has ${length} bytes`)
      if (this.#rest.length >= length) {
        const packet = this.#rest.subarray(0, length)
        this.#rest = this.#rest.subarray(length)
        this.#lengthFilled = 0
        return new Reader(packet)
      }
      this.#packet = Buffer.allocUnsafe(length)
      this.#filled = 0
    }
    this.#filled += this.#move(this.#packet, this.#filled)
    if (this.#filled < this.#packet.length) return undefined
    const packet = this.#packet
    this.#packet = undefined
    this.#lengthFilled = 0
    return new Reader(packet)
  }

  #move(target: Buffer, at: number): number {
    const count = this.#rest.copy(target, at)
    this.#rest = this.#rest.subarray(count)
    return count
  }
}
