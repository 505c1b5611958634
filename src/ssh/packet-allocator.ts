import { randomFillSync } from 'node:crypto'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import crypto from 'ssh2/lib/protocol/crypto.js'
import type { PacketCipher } from 'ssh2/lib/protocol/Protocol.js'
import { PACKET_MAX, PACKETS_KEPT } from '../core/limits.js'

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

/** A packet of data that is as long as we send them: header, padding and authentication tag take less than this. */
const LARGE = PACKET_MAX + 128
const kept: ArrayBufferLike[] = []
const lent = new WeakSet<ArrayBufferLike>()

function takePacket(length: number): Buffer {
  if (length > LARGE || length < LARGE / 2) return Buffer.allocUnsafe(length)
  const memory = kept.pop() ?? new ArrayBuffer(LARGE)
  lent.add(memory)
  return Buffer.from(memory, 0, length)
}

/**
 * Writes a packet, and takes its memory back for the next ones once the system has copied it: memory that is still in
 * the processor's cache makes sending bulk data cheaper.
 */
export function writePacket(stream: Writable, packet: Buffer): void {
  // Any stream but a socket may hand on the very bytes that it was given: they are its reader's then.
  if (!(stream instanceof Socket) || !lent.has(packet.buffer)) {
    stream.write(packet)
    return
  }
  stream.write(packet, (error) => {
    if (!error) giveBack(packet)
  })
}

function giveBack({ buffer }: Buffer): void {
  // Once for each packet, of which ssh2 may write several parts.
  if (lent.delete(buffer) && kept.length < PACKETS_KEPT) kept.push(buffer)
}
