import { printable } from './report.js'

const CUT = '...'

/**
 * Rows in padded columns.
 * @param width the last column is cut so that no line is longer; undefined: nothing is cut
 */
export function formatTable(rows: readonly (readonly string[])[], width: number | undefined): string {
  const clean = rows.map((row) => row.map(printable))
  const columns = Math.max(...clean.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...clean.map((row) => (row[column] ?? '').length)),
  )
  const lines = clean.map((row) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    return width === undefined || line.length <= width
      ? line
      : `${line.slice(0, Math.max(0, width - CUT.length))}${CUT}`
  })
  return lines.map((line) => `${line}\n`).join('')
}
