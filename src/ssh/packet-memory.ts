import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { PACKET_MAX, PACKETS_KEPT } from '../core/limits.js'

/** A packet of data that is as long as we send them: header, padding and authentication tag take less than this. */
const LARGE = PACKET_MAX + 128
const kept: ArrayBufferLike[] = []
const lent = new WeakSet<ArrayBufferLike>()

/** Memory for a packet; that of a large one may have held another before. */
export function takePacket(length: number): Buffer {
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

/** Takes the memory of a packet for the next ones. */
export function giveBack({ buffer }: Buffer): void {
  // Once for each packet, of which ssh2 may write several parts.
  if (lent.delete(buffer) && kept.length < PACKETS_KEPT) kept.push(buffer)
}
