import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramResult, runProgram } from '../../helpers/programs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const SCRIPT = join(process.cwd(), 'scripts/clients-table.mjs')
const folder = temporaryDirectory()

interface Test {
  suite: string
  title: string
  status?: string
}

/** Runs the script over a run of these tests. */
function table(tests: readonly Test[], ...options: string[]): Promise<ProgramResult> {
  const results = join(folder(), 'results.json')
  const assertionResults = tests.map(({ suite, title, status = 'passed' }) => ({
    ancestorTitles: [suite],
    title,
    status,
  }))
  writeFileSync(results, JSON.stringify({ testResults: [{ assertionResults }] }))
  return runProgram(SCRIPT, [...options, results, join(folder(), 'page.md')])
}

const page = (): string => readFileSync(join(folder(), 'page.md'), 'utf8')
const PLINK = 'client: PuTTY `plink` | 0.78 | commands'
const SSH = 'client: OpenSSH `ssh` | 9.2p1 | commands'
const TESTS: Test[] = [
  { suite: PLINK, title: 'runs a | b' },
  { suite: SSH, title: 'runs' },
  { suite: PLINK, title: 'fails' },
  { suite: 'something else', title: 'is no client' },
]

beforeEach(() => {
  const marks = /<!-- clients: .* -->|<!-- end of clients -->/g
  const [begin, end] = readFileSync(join(process.cwd(), 'docs/clients.md'), 'utf8').match(marks) ?? []
  writeFileSync(join(folder(), 'page.md'), `before\n${begin}\nold\n${end}\nafter\n`)
})

test('a row is a client with its version and the titles of its tests, between the marks of the page', async () => {
  expect(await table(TESTS)).toMatchObject({ exitCode: 0, stderr: '' })
  const rows = page().split('\n')
  expect([rows[0], rows.at(-2)]).toEqual(['before', 'after'])
  expect(rows.slice(4, 6)).toEqual([
    '| OpenSSH `ssh` | 9.2p1 | commands | runs |',
    '| PuTTY `plink` | 0.78 | commands | runs a \\| b; fails |',
  ])
  expect(await table(TESTS, '--check')).toMatchObject({ exitCode: 0, stderr: '' })
})

test('another version, and a test that was skipped, are no difference', async () => {
  await table(TESTS)
  const others = TESTS.map((test) => ({
    ...test,
    suite: test.suite.replace('0.78', '0.80'),
    status: 'pending',
  }))
  expect(await table(others, '--check')).toMatchObject({ exitCode: 0, stderr: '' })
})

test('a test more, a test less, and a client of which no test is left, are differences', async () => {
  await table(TESTS)
  const more = await table([...TESTS, { suite: SSH, title: 'runs again' }], '--check')
  expect(more).toMatchObject({ exitCode: 1 })
  expect(more.stderr).toMatch(
    /^docs\/clients.md does not say what the tests of "OpenSSH `ssh`: commands" try: run node/,
  )
  expect((await table(TESTS.slice(0, 2), '--check')).stderr).toContain('PuTTY `plink`: commands')
  expect((await table(TESTS.slice(1, 2), '--check')).stderr).toContain('1 row of which no test is known')
})

test('nothing is written where a test has failed or was skipped', async () => {
  const before = page()
  for (const status of ['failed', 'pending']) {
    const failed = await table([...TESTS, { suite: SSH, title: 'breaks', status }])
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toMatch(/^Nothing is written: .*\n {2}OpenSSH `ssh`: commands\n$/)
  }
  expect(page()).toBe(before)
})
