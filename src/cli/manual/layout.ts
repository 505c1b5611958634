/** What a terminal is wide at least. */
export const WIDTH = 80
/** Where the second of two columns begins at most; a first one that is longer has a line of its own. */
const MAX_LEFT = 30
const GAP = 2

/** Lines of words. A word that is longer than a line is not broken. */
export function wrap(text: string, width = WIDTH): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line === '') line = word
    else if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  return line === '' ? lines : [...lines, line]
}

/** Two columns, the second of which is wrapped. */
export function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const fitting = rows.map(([left]) => left.length + GAP).filter((length) => length <= MAX_LEFT)
  const indent = Math.max(0, ...fitting)
  return rows
    .flatMap(([left, right]) => {
      const [first = '', ...more] = wrap(right, WIDTH - indent)
      const rest = more.map((line) => ' '.repeat(indent) + line)
      return left.length + GAP <= indent
        ? [left.padEnd(indent) + first, ...rest]
        : [left, ' '.repeat(indent) + first, ...rest]
    })
    .join('\n')
}
