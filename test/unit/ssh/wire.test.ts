import fc from 'fast-check'
import { boolean, byte, Reader, string, uint32 } from '../../../src/ssh/wire.js'

describe('the data types of RFC 4251', () => {
  it('are read as they were written', () => {
    const bytes = fc.uint8Array({ maxLength: 1000 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(fc.nat(255), fc.boolean(), fc.nat(2 ** 32 - 1), bytes, bytes, (a, b, c, d, rest) => {
        const reader = new Reader(Buffer.concat([byte(a), boolean(b), uint32(c), string(d), rest]))
        expect([reader.byte(), reader.boolean(), reader.uint32()]).toEqual([a, b, c])
        expect(reader.string().equals(d)).toBe(true)
        expect(reader.remaining).toBe(rest.length)
        expect(reader.rest().equals(rest)).toBe(true)
      }),
    )
  })

  it('throw where the packet ends too early, and never read past it', () => {
    const reads: ((reader: Reader) => unknown)[] = [
      (reader) => reader.byte(),
      (reader) => reader.boolean(),
      (reader) => reader.uint32(),
      (reader) => reader.string(),
      (reader) => reader.text(),
    ]
    for (const read of reads)
      expect(() => read(new Reader(Buffer.alloc(0)))).toThrow('the packet ends too early')
    expect(() => new Reader(uint32(2 ** 32 - 1)).string()).toThrow('the packet ends too early')
    expect(() => new Reader(Buffer.from([0, 0, 0, 2, 65])).string()).toThrow('the packet ends too early')
  })

  it('keep bytes that are not UTF-8', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0, 0x80])
    expect(new Reader(string(bytes)).string()).toEqual(bytes)
  })
})
