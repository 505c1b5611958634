import type { ReadStream } from 'node:tty'
import { setModes, type TerminalModes } from '../../process/termios.js'
import { ifPossible } from './if-possible.js'

/**
 * What OpenSSH's enter_raw_mode() sets and Node.js' raw mode doesn't, by the opcodes of RFC 4254 §8: IGNPAR on; INLCR,
 * IGNCR, IXANY, IXOFF, ECHOE, ECHOK, ECHONL and OPOST off. With OPOST the local terminal turns every newline of the
 * remote one into two characters, which breaks programs that move the cursor down with it.
 */
const COMPLETION: TerminalModes = [
  [30, 1],
  ...[34, 35, 39, 40, 54, 55, 56, 70].map((opcode) => [opcode, 0] as const),
]

/** Hands every key of our input, a terminal, to the remote terminal, and every byte of it to the screen. */
export function enterRawMode(input: ReadStream): void {
  input.setRawMode(true)
  ifPossible(() => setModes(0, COMPLETION))
}

/** Puts back the settings that the terminal had before raw mode, exactly: libuv keeps them. */
export function leaveRawMode(input: ReadStream): void {
  if (input.isRaw) input.setRawMode(false)
}
