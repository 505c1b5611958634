import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const PAGE = 'docs/security.md'
/** `[title](../test/…)`, as the page names what shows a claim. */
const NAMED = /\[(?<title>[^\]]+)\]\(\.\.\/(?<file>test\/[^)]+)\)/g

const page = readFileSync(PAGE, 'utf8')
const named = [...page.matchAll(NAMED)].map(
  ({ groups }) => [groups?.title ?? '', groups?.file ?? ''] as const,
)

/** The titles in a file of tests: strings behind it() and the like, or behind `title:` in tables of cases. */
function titlesIn(file: string): string[] {
  const strings =
    /(?:\b(?:it|itIfMay|itAsRoot|itAsUser|test|fixedSeedTests)(?:\.each(?:<[^>]*>)?\(.*?\))?\(\s*|\btitle:\s*)(?<quote>['"`])(?<title>(?:\\.|(?!\k<quote>).)*)\k<quote>/gs
  return [...readFileSync(file, 'utf8').matchAll(strings)].map(({ groups }) =>
    (groups?.title ?? '').replace(/\\(.)/g, '$1'),
  )
}

describe('what docs/security.md promises', () => {
  it('is shown by tests in every table of attackers', () => {
    expect(named.length).toBeGreaterThan(40)
    const tables = page.split('\n## ').filter((section) => section.includes('| tries | gets | shown by |'))
    expect(tables.map((section) => section.split('\n')[0])).toEqual([
      'Another user of the node',
      'The job',
      'The client',
      'The network',
      'A compromised container',
    ])
    for (const table of tables) expect(table).toMatch(/\]\(\.\.\/test\//)
  })

  it.each(named)('is shown by a test that is there: %s (%s)', (title, file) => {
    expect(existsSync(path.join(process.cwd(), file))).toBe(true)
    expect(titlesIn(file)).toContain(title)
  })

  it('is nothing without a way to report what is wrong with it', () => {
    expect(readFileSync('SECURITY.md', 'utf8')).toContain('private vulnerability\nreporting')
  })
})
