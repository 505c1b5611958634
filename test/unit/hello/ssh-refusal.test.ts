import { encodeSshRefusal } from '../../../src/hello/ssh-refusal.js'
import { Reader } from '../../../src/ssh/wire.js'

// Each length of padding, and more than one of each.
it.each(Array.from({ length: 18 }, (_, length) => 'x'.repeat(length)))(
  'a refusal of %j is a line, a version, and a packet as RFC 4253 has them',
  (message) => {
    const bytes = encodeSshRefusal(message)
    const head = `sshjob: ${message}\r\nSSH-2.0-sshjob\r\n`
    expect(bytes.toString('latin1', 0, head.length)).toBe(head)
    const packet = new Reader(bytes, head.length)
    const whole = packet.remaining
    expect(whole % 8).toBe(0)
    expect(packet.uint32()).toBe(whole - 4)
    const padding = packet.byte()
    expect(padding).toBeGreaterThanOrEqual(4)
    expect(padding).toBeLessThan(12)
    expect([packet.byte(), packet.uint32(), packet.text(), packet.text()]).toEqual([1, 2, message, ''])
    expect(packet.rest()).toEqual(Buffer.alloc(padding))
  },
)
