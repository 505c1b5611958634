import type { TerminalModes } from '../job/job.js'
import { byte, Reader, uint32 } from './wire.js'

const TTY_OP_END = 0
/** RFC 4254 §8: opcodes from here on have arguments of unknown shape and end the list. */
const FIRST_UNDEFINED = 160

/** Decodes the modes of a pty-req, RFC 4254 §8. A list that ends too early counts as far as it goes. */
export function decodeTerminalModes(encoded: Buffer): TerminalModes {
  const modes: [number, number][] = []
  const reader = new Reader(encoded)
  while (reader.remaining >= 5) {
    const opcode = reader.byte()
    if (opcode === TTY_OP_END || opcode >= FIRST_UNDEFINED) break
    modes.push([opcode, reader.uint32()])
  }
  return modes
}

export function encodeTerminalModes(modes: TerminalModes): Buffer {
  return Buffer.concat([
    ...modes.flatMap(([opcode, value]) => [byte(opcode), uint32(value)]),
    byte(TTY_OP_END),
  ])
}
