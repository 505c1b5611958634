import { randomFillSync } from 'node:crypto'
import type { PacketCipher } from 'ssh2/lib/protocol/Protocol.js'

/** The block that packets of this cipher are padded to (RFC 4253 §6, RFC 5647 §7.2); others stay with ssh2's way. */
const BLOCK: Readonly<Record<string, number>> = {
  'aes128-gcm@openssh.com': 16,
  'aes256-gcm@openssh.com': 16,
  'chacha20-poly1305@openssh.com': 8,
}
const MIN_PADDING = 4
/** The length field and the padding's length, in front of the payload. */
const HEADER = 5

/**
 * Makes a cipher take the random bytes of its padding from a pool. ssh2 asks the system for each packet's 4 to 19
 * bytes, which costs as much as encrypting 32 KiB with AES-GCM.
 */
export function poolPadding(cipher: PacketCipher, name: string): void {
  const block = BLOCK[name]
  if (block === undefined) return
  const sample = cipher.allocPacket(0)
  const trailer = sample.length - HEADER - (sample[4] ?? 0)
  cipher.allocPacket = (payloadLength) => {
    let padding = block - ((1 + payloadLength) & (block - 1))
    if (padding < MIN_PADDING) padding += block
    const end = HEADER + payloadLength + padding
    const packet = Buffer.allocUnsafe(end + trailer)
    packet.writeUInt32BE(end - 4)
    packet[4] = padding
    packet.set(randomBytes(padding), HEADER + payloadLength)
    return packet
  }
}

const pool = Buffer.allocUnsafeSlow(4096)
let used = pool.length

function randomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += count
  return pool.subarray(used - count, used)
}
