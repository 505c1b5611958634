import { readSize, type TerminalSize } from '../../process/termios.js'
import { ifPossible } from './if-possible.js'

/** The size of a terminal that nobody knows. */
const FALLBACK_SIZE: TerminalSize = { columns: 80, rows: 24, width: 0, height: 0 }

/**
 * The size of our terminal, pixels included, from whichever of stdout, stderr and stdin is one: Node.js knows columns
 * and rows only, and not of its input.
 */
export function terminalSize(): TerminalSize {
  for (const descriptor of [1, 2, 0]) {
    const size = ifPossible(() => readSize(descriptor))
    if (size !== undefined) return size
  }
  const known = [process.stdout, process.stderr].find((stream) => stream.isTTY && stream.columns > 0)
  if (known === undefined) return FALLBACK_SIZE
  return { ...FALLBACK_SIZE, columns: known.columns, rows: known.rows }
}
