import { randomFillSync } from 'node:crypto'
import crypto from 'ssh2/lib/protocol/crypto.js'
import type { PacketCipher } from 'ssh2/lib/protocol/Protocol.js'
import { giveBack, takePacket } from '../packet-memory.js'

/** The block that packets of this cipher are padded to (RFC 4253 §6, RFC 5647 §7.2). */
const BLOCK: Readonly<Record<string, number>> = {
  'aes128-gcm@openssh.com': 16,
  'aes256-gcm@openssh.com': 16,
  'chacha20-poly1305@openssh.com': 8,
  'aes128-ctr': 16,
  'aes192-ctr': 16,
  'aes256-ctr': 16,
}
const MIN_PADDING = 4
/** The length field and the padding's length, in front of the payload. */
const HEADER = 5

/**
 * Makes a cipher take the random bytes of its padding from a pool, and the memory of large packets from those that are
 * sent already. ssh2 asks the system for each packet's 4 to 19 bytes, which costs as much as encrypting 32 KiB with
 * AES-GCM.
 * @param mac the name of the MAC, '' for a cipher that has one of its own
 */
export function poolPackets(cipher: PacketCipher, name: string, mac: string): void {
  const block = BLOCK[name]
  if (block === undefined) return
  // What the padding makes whole blocks of: with a MAC over the plaintext, the length field is encrypted as well.
  const clearLength = mac === '' || mac.endsWith('-etm@openssh.com')
  const counted = clearLength ? 1 : HEADER
  const sample = cipher.allocPacket(0)
  const trailer = sample.length - HEADER - (sample[4] ?? 0)
  cipher.allocPacket = (payloadLength) => {
    let padding = block - ((counted + payloadLength) & (block - 1))
    if (padding < MIN_PADDING) padding += block
    const end = HEADER + payloadLength + padding
    const packet = takePacket(end + trailer)
    packet.writeUInt32BE(end - 4)
    packet[4] = padding
    packet.set(randomBytes(padding), HEADER + payloadLength)
    return packet
  }
  // The native ciphers encrypt in place, and AES-GCM, ChaCha20 and the MACs over ciphertext send the length as it is:
  // their memory comes back when it is written. Else nothing of the packet is, and a copy goes out.
  if (crypto.bindingAvailable || clearLength) return
  const encrypt = cipher.encrypt.bind(cipher)
  cipher.encrypt = (packet) => {
    encrypt(packet)
    giveBack(packet)
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
