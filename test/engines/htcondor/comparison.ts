import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Suite } from './start-pool.js'

export const SERVERS = ['sshd', 'sshjob-server'] as const
export type Server = (typeof SERVERS)[number]

/** What the documentation says of one case: works, does not, or is not asked there. */
export type Claim = { verdict: 'yes' | 'no' | 'not asked'; cell: string }

const HEADING = '## What works with sshd, and what with sshjob-server'
/** The order of the table's columns. */
const COLUMNS: readonly (readonly [Server, Suite])[] = [
  ['sshd', 'trixie'],
  ['sshd', 'sid'],
  ['sshjob-server', 'trixie'],
  ['sshjob-server', 'sid'],
]

/** The table in docs/htcondor.md: what users are told is what the tests hold us to. */
export function readComparison(): (title: string, server: Server, suite: Suite) => Claim {
  const page = readFileSync(join(process.cwd(), 'docs/htcondor.md'), 'utf8')
  const section = page.split(`${HEADING}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  const cells = new Map(
    rows.map((row) => {
      const [title = '', ...claims] = row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
      return [title, claims]
    }),
  )
  return (title, server, suite) => {
    const column = COLUMNS.findIndex(([of, on]) => of === server && on === suite)
    const cell = cells.get(title)?.[column]
    if (cell === undefined) throw new Error(`docs/htcondor.md has no row '${title}' in its table.`)
    if (cell === '') return { verdict: 'not asked', cell }
    const verdict = /^(yes|no)\b/.exec(cell)?.[1]
    if (verdict !== 'yes' && verdict !== 'no') throw new Error(`A cell of '${title}' says '${cell}'.`)
    return { verdict, cell }
  }
}
