import { once } from 'node:events'
import net from 'node:net'
import { PassThrough, type Writable } from 'node:stream'
import crypto from 'ssh2/lib/protocol/crypto.js'
import type { PacketCipher } from 'ssh2/lib/protocol/Protocol.js'
import { PACKET_MAX } from '../../../src/core/limits.js'
import { writePacket } from '../../../src/ssh/packet-memory.js'
import { poolPackets } from '../../../src/ssh/ssh2/packet-allocator.js'

/** What ssh2 would allocate, with this much behind the padding. */
function fakeCipher(block: number, trailer: number): PacketCipher {
  return {
    outSeqno: 0,
    allocPacket: () => {
      const packet = Buffer.alloc(5 + block - 1 + trailer)
      packet[4] = block - 1
      return packet
    },
    encrypt: () => undefined,
  }
}

/** RFC 4253 §6: at least four bytes of padding, and whole blocks; AES-GCM and a MAC over ciphertext don't count the length. */
const CIPHERS = [
  ['aes128-gcm@openssh.com', '', 16, 16, 0],
  ['aes256-gcm@openssh.com', '', 16, 16, 0],
  ['chacha20-poly1305@openssh.com', '', 8, 0, 0],
  ['aes128-ctr', 'hmac-sha2-256-etm@openssh.com', 16, 0, 0],
  ['aes256-ctr', 'hmac-sha2-256', 16, 32, 4],
] as const

describe('packets', () => {
  it.each(CIPHERS)(
    'of %s %s have whole blocks and padding that does not repeat',
    (name, mac, block, trailer, more) => {
      const cipher = fakeCipher(block, trailer)
      poolPackets(cipher, name, mac)
      const seen = new Set<string>()
      const wrong: number[] = []
      for (let length = 0; length < 3_000; length++) {
        const packet = cipher.allocPacket(length)
        const padding = packet[4] ?? 0
        const covered = packet.readUInt32BE(0)
        const whole = (covered + more) % block === 0 && covered === 1 + length + padding
        if (!whole || packet.length !== 4 + covered + trailer || padding < 4 || padding >= block + 4)
          wrong.push(length)
        if (padding >= 8) seen.add(packet.subarray(5 + length, 5 + length + 8).toString('hex'))
      }
      expect(wrong).toEqual([])
      expect(seen.size).toBeGreaterThan(1_000)
    },
  )

  it('of other ciphers are left to ssh2', () => {
    const cipher = fakeCipher(8, 0)
    const { allocPacket, encrypt } = cipher
    poolPackets(cipher, '3des-cbc', 'hmac-sha2-256')
    expect(cipher).toMatchObject({ allocPacket, encrypt })
  })
})

describe('the memory of a large packet', () => {
  const cipher = fakeCipher(16, 16)
  poolPackets(cipher, 'aes128-gcm@openssh.com', '')
  const written = (stream: Writable): Promise<void> =>
    new Promise((resolve) => stream.write('', () => resolve()))

  it('is used again once a socket has copied it, and not before', async () => {
    const server = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const socket = net.connect(address.port, '127.0.0.1')
    await once(socket, 'connect')
    try {
      const first = cipher.allocPacket(PACKET_MAX)
      socket.cork()
      // In parts, as ssh2 writes it where it has no native ciphers.
      writePacket(socket, first.subarray(0, 4))
      writePacket(socket, first)
      const meanwhile = cipher.allocPacket(PACKET_MAX)
      expect(meanwhile.buffer).not.toBe(first.buffer)
      socket.uncork()
      await written(socket)
      const memories = [cipher.allocPacket(PACKET_MAX).buffer, cipher.allocPacket(PACKET_MAX).buffer]
      expect(memories.filter((memory) => memory === first.buffer)).toHaveLength(1)
    } finally {
      socket.destroy()
      server.close()
    }
  })

  it('belongs to the reader of any other stream', async () => {
    const stream = new PassThrough({ highWaterMark: 1024 * 1024 }).resume()
    const first = cipher.allocPacket(PACKET_MAX)
    writePacket(stream, first)
    await written(stream)
    expect(cipher.allocPacket(PACKET_MAX).buffer).not.toBe(first.buffer)
  })

  it('is used again at once where a copy of it goes out', () => {
    const copying = fakeCipher(16, 0)
    poolPackets(copying, 'aes128-ctr', 'hmac-sha2-256')
    const first = copying.allocPacket(PACKET_MAX)
    copying.encrypt(first)
    const memories = [copying.allocPacket(PACKET_MAX).buffer, copying.allocPacket(PACKET_MAX).buffer]
    expect(memories.includes(first.buffer)).toBe(!crypto.bindingAvailable)
  })
})
