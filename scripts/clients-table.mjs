// node scripts/clients-table.mjs [RESULTS [PAGE]]: writes the table of docs/clients.md from a run of test/interop, whose
// results are jest's JSON; without RESULTS, it runs those tests itself. With --check first, it writes nothing, and says
// what differs. A row is a suite that test/helpers/clients.ts describes.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const PAGE = join(root, 'docs/clients.md')
const BEGIN = '<!-- clients: written by scripts/clients-table.mjs from a run of the tests -->\n'
const END = '<!-- end of clients -->\n'

/** One for each suite of a client: client, version, what it is about, and its tests. In the order of their names. */
export function clientRows(results) {
  const rows = new Map()
  for (const { ancestorTitles, title, status } of results.testResults.flatMap(
    (file) => file.assertionResults,
  )) {
    const [, client, version, about] = /^client: (.+) \| (.+) \| (.+)$/.exec(ancestorTitles[0] ?? '') ?? []
    if (client === undefined) continue
    const key = `${client}: ${about}`
    const row = rows.get(key) ?? { key, client, version, about, tests: [] }
    row.tests.push({ title, passed: status === 'passed' })
    rows.set(key, row)
  }
  return [...rows.values()].sort((a, b) => order(a) - order(b) || a.key.localeCompare(b.key, 'en'))
}

/** OpenSSH's own client first: the others are compared with it. */
const order = ({ client }) => (client.startsWith('OpenSSH') ? 0 : 1)

const escapeCell = (text) => text.replace(/[|*~<]/g, '\\$&')

/** A row as the page has it. What was tried are the titles of the tests. */
function formatRow({ client, version, about, tests }) {
  return `| ${client} | ${version} | ${escapeCell(about)} | ${tests.map(({ title }) => escapeCell(title)).join('; ')} |\n`
}

function formatTable(rows) {
  return `| client | version | part | what was tried, and passed |\n| --- | --- | --- | --- |\n${rows.map(formatRow).join('')}`
}

function splitPage(page) {
  const text = readFileSync(page, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin === -1 || end < begin)
    throw new Error(`${page} has lost the lines between which the table stands.`)
  const start = begin + BEGIN.length
  return { before: text.slice(0, start), table: text.slice(start, end), after: text.slice(end) }
}

/**
 * What the page says of clients and the tests of this run don't, and the other way round; versions may differ.
 * @param complete whether all tests were in the run, so that a row without any is wrong
 */
export function findDifferences(results, { complete, page = PAGE }) {
  const withoutVersion = (row) => row.replace(/^(\| .+? \| ).+? \|/, '$1|')
  const [, , ...lines] = splitPage(page).table.trimEnd().split('\n')
  const written = new Set(lines.map(withoutVersion))
  const tested = clientRows(results).map((row) => ({
    key: row.key,
    text: withoutVersion(formatRow(row).trimEnd()),
  }))
  const missing = tested.filter(({ text }) => !written.has(text)).map(({ key }) => key)
  const texts = new Set(tested.map(({ text }) => text))
  const left = complete ? [...written].filter((text) => !texts.has(text)).length : 0
  return [
    ...missing.map((key) => `docs/clients.md does not say what the tests of "${key}" try`),
    ...(left > 0 && missing.length === 0
      ? [`docs/clients.md has ${left} ${left === 1 ? 'row' : 'rows'} of which no test is known`]
      : []),
  ].map((complaint) => `${complaint}: run node scripts/clients-table.mjs.`)
}

function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'sj-'))
  try {
    const results = join(folder, 'results.json')
    const jest = join(root, 'node_modules/jest/bin/jest.js')
    const args = [jest, '--json', '--outputFile', results, 'test/interop']
    spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    return readResults(results)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readResults(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function writeTable(results, page) {
  const rows = clientRows(results)
  const failed = rows.filter(({ tests }) => tests.some(({ passed }) => !passed))
  if (failed.length > 0 || rows.length === 0) {
    console.error('Nothing is written: not all tests of these have passed, or they were skipped:')
    for (const { key } of failed) console.error(`  ${key}`)
    process.exitCode = 1
    return
  }
  const { before, after } = splitPage(page)
  writeFileSync(page, `${before}${formatTable(rows)}${after}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv[2] === '--check'
  const [file, page = PAGE] = process.argv.slice(check ? 3 : 2)
  const results = file === undefined ? runTests() : readResults(file)
  if (check) {
    const differences = findDifferences(results, { complete: true, page })
    for (const difference of differences) console.error(difference)
    if (differences.length > 0) process.exitCode = 1
  } else writeTable(results, page)
}
