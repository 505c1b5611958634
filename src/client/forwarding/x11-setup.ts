import { X11_AUTHORITY_MAX_BYTES, X11_SETUP_TIMEOUT_MS } from '../../core/limits.js'
import type { Handshake } from './handshake.js'

export const MIT_MAGIC_COOKIE = 'MIT-MAGIC-COOKIE-1'
/** Before name and data of the authorisation: X11 protocol, §8, Connection Setup. */
const HEAD_BYTES = 12

export const SETUP_LIMITS = {
  maxBytes: HEAD_BYTES + 2 * X11_AUTHORITY_MAX_BYTES,
  timeoutMs: X11_SETUP_TIMEOUT_MS,
} as const

/** The first packet of a client of X11. */
export interface X11Setup {
  protocol: string
  cookie: Buffer
  /** The same packet with another authorisation, or with none. */
  with(cookie: Buffer | undefined): Buffer
}

/** @throws for what no client of X11 says, and what `take` of the handshake throws */
export async function readSetup(input: Handshake): Promise<X11Setup> {
  const head = Buffer.from(await input.take(HEAD_BYTES))
  const order = head[0]
  if (order !== 0x42 && order !== 0x6c) throw new Error('this is no client of X11')
  const [nameLength, dataLength] =
    order === 0x42
      ? [head.readUInt16BE(6), head.readUInt16BE(8)]
      : [head.readUInt16LE(6), head.readUInt16LE(8)]
  const name = (await input.take(padded(nameLength))).subarray(0, nameLength)
  const cookie = (await input.take(padded(dataLength))).subarray(0, dataLength)
  return {
    protocol: name.toString('latin1'),
    cookie,
    with(other) {
      const parts = other === undefined ? [] : [Buffer.from(MIT_MAGIC_COOKIE), other]
      const lengths = [parts[0]?.length ?? 0, parts[1]?.length ?? 0]
      for (const [index, length] of lengths.entries()) {
        if (order === 0x42) head.writeUInt16BE(length, 6 + 2 * index)
        else head.writeUInt16LE(length, 6 + 2 * index)
      }
      return Buffer.concat([head, ...parts.flatMap((part) => [part, padding(part.length)])])
    },
  }
}

function padded(length: number): number {
  return length + padding(length).length
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4)
}
