import type { PacketCipher } from 'ssh2/lib/protocol/Protocol.js'
import { poolPadding } from '../../../src/ssh/packet-allocator.js'

/** RFC 4253 §6: at least four bytes of padding, and whole blocks, where the length is not counted by AES-GCM. */
const CIPHERS = [
  ['aes128-gcm@openssh.com', 16, 16],
  ['aes256-gcm@openssh.com', 16, 16],
  ['chacha20-poly1305@openssh.com', 8, 0],
] as const

describe('packets', () => {
  it.each(CIPHERS)('of %s have whole blocks and padding that does not repeat', (name, block, trailer) => {
    const cipher: PacketCipher = {
      outSeqno: 0,
      allocPacket: () => {
        const packet = Buffer.alloc(5 + block - 1 + trailer)
        packet[4] = block - 1
        return packet
      },
    }
    poolPadding(cipher, name)
    const seen = new Set<string>()
    const wrong: number[] = []
    for (let length = 0; length < 3_000; length++) {
      const packet = cipher.allocPacket(length)
      const padding = packet[4] ?? 0
      const covered = packet.readUInt32BE(0)
      const whole = covered % block === 0 && covered === 1 + length + padding
      if (!whole || packet.length !== 4 + covered + trailer || padding < 4 || padding >= block + 4)
        wrong.push(length)
      if (padding >= 8) seen.add(packet.subarray(5 + length, 5 + length + 8).toString('hex'))
    }
    expect(wrong).toEqual([])
    expect(seen.size).toBeGreaterThan(1_000)
  })

  it('of other ciphers are left to ssh2', () => {
    const cipher: PacketCipher = { outSeqno: 0, allocPacket: () => Buffer.alloc(1) }
    const { allocPacket } = cipher
    poolPadding(cipher, 'aes128-ctr')
    expect(cipher.allocPacket).toBe(allocPacket)
  })
})
