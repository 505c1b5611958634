/** What a measurement is held to. */
export type Goal = { atMost: number } | { atLeast: number }

/** One line of the table. */
export interface Row {
  what: string
  ours: string
  /** What the peer did in the same run, if there is one. */
  peer?: string
  /** What the goal is about: our value divided by the peer's, or our value alone. */
  measure?: number
  /** Undefined for a line that only says how things are. */
  goal?: Goal
  /** Processor time of both ends, ours and the peer's: less noisy than the clock on a busy machine. */
  cpu?: string
}

export const COLUMNS = [
  '',
  'sshjob',
  'OpenSSH',
  'ratio or value',
  'goal',
  'met',
  'CPU: sshjob, OpenSSH',
] as const

function isMet(measure: number, goal: Goal): boolean {
  return 'atMost' in goal ? measure <= goal.atMost : measure >= goal.atLeast
}

function cells({ what, ours, peer, measure, goal, cpu }: Row): string[] {
  const wanted = goal === undefined ? '' : 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`
  const met = goal === undefined || measure === undefined ? '' : isMet(measure, goal) ? 'yes' : 'no'
  return [what, ours, peer ?? '', measure?.toFixed(2) ?? '', wanted, met, cpu ?? '']
}

/** Rows as they stand in docs/benchmarks.md. */
export function formatTable(rows: readonly Row[]): string {
  const table = [[...COLUMNS], ...rows.map(cells)]
  const widths = COLUMNS.map((_, column) => Math.max(3, ...table.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = table
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

export const inMs = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`
export const inMBperS = (bytes: number, ms: number): string => `${(bytes / 1000 / ms).toFixed(0)} MB/s`
/** 256 MiB, 1 GiB */
export const inUnits = (bytes: number): string =>
  bytes % 1024 ** 3 === 0 ? `${bytes / 1024 ** 3} GiB` : `${bytes / 1024 ** 2} MiB`
export const inKiB = (value: number): string => `${value.toFixed(0)} KiB`
