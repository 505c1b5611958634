import fc from 'fast-check'
import { decodeTerminalModes, encodeTerminalModes } from '../../../src/ssh/terminal-modes.js'

const mode = fc.tuple(fc.integer({ min: 1, max: 159 }), fc.nat({ max: 2 ** 32 - 1 }))

describe('terminal modes', () => {
  it('are decoded from what OpenSSH sends', () => {
    // VINTR 3, VEOF 4, ECHO off, both speeds, the end, and what may follow it.
    const encoded = Buffer.from('0100000003050000000435000000008000009600810000960000ffff', 'hex')
    expect(decodeTerminalModes(encoded)).toEqual([
      [1, 3],
      [5, 4],
      [53, 0],
      [128, 38_400],
      [129, 38_400],
    ])
  })

  it('come back as they were encoded', () => {
    fc.assert(
      fc.property(fc.array(mode), (modes) => {
        expect(decodeTerminalModes(encodeTerminalModes(modes))).toEqual(modes)
      }),
    )
  })

  it('count as far as they go when they end too early or go on unknown', () => {
    expect(decodeTerminalModes(Buffer.from('01000000030500', 'hex'))).toEqual([[1, 3]])
    expect(decodeTerminalModes(Buffer.from('0100000003a00000000001', 'hex'))).toEqual([[1, 3]])
    expect(decodeTerminalModes(Buffer.alloc(0))).toEqual([])
  })

  it('of any bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const [opcode] of decodeTerminalModes(Buffer.from(bytes))) expect(opcode).toBeLessThan(160)
      }),
    )
  })
})
