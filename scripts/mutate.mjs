// Changes the sources, one operator, condition, block or literal at a time, and runs the unit tests that reach the
// change: what none of them notices is printed. `npm run mutate -- FILE|FOLDER…`; docs/testing.md.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { leftProcesses } from './leftovers.mjs'
import { tryFile } from './mutation/try-file.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
/** What no test can notice, and why. It is not tried, but with --all. */
const EQUIVALENT = 'scripts/mutation/equivalent.json'
const USAGE = 'Usage: npm run mutate -- [--workers N] [--json FILE] [--all] FILE|FOLDER…'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { workers: { type: 'string', default: '2' }, json: { type: 'string' }, all: { type: 'boolean' } },
})
if (positionals.length === 0 || !/^[1-9]\d*$/.test(values.workers)) {
  console.error(USAGE)
  process.exit(2)
}

function sourcesIn(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true })
    .map((name) => join(path, name))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
}

/** The tests that import a file, directly or not. Those of programs run what is built, in which nothing is changed. */
function testsOf(file) {
  const args = [
    'node_modules/jest/bin/jest.js',
    '--roots',
    'test',
    'src',
    '--listTests',
    '--findRelatedTests',
    file,
  ]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`Jest could not tell which tests there are: ${stderr}`)
  return stdout
    .split('\n')
    .filter((path) => /\/test\/(unit|compliance)\/(?!starter\/|engines\/|scripts\/)/.test(path))
}

/** Entries that are for this mutant. A `line` between slashes is a pattern. */
const known = JSON.parse(readFileSync(join(root, EQUIVALENT), 'utf8')).map((entry) => ({
  ...entry,
  pattern: /^\/(.*)\/$/.exec(entry.line)?.[1],
}))
const isKnown = (entry, { file, line, from, to }) =>
  entry.file === file &&
  entry.from === from &&
  entry.to === to &&
  (entry.pattern === undefined ? entry.line === line : new RegExp(entry.pattern).test(line))

function show({ file, row, line, from, to, status }) {
  const reached = status === 'unreached' ? ' (no test reaches it)' : ''
  console.log(`${file}:${row}${reached}\n    ${line}\n  - ${from}\n  + ${to}`)
}

/** Tells what is left of a file's mutants; gives how many there are of each kind. */
function judge(file, results) {
  const survivors = results.filter(({ status }) => status === 'survived' || status === 'unreached')
  survivors.forEach(show)
  for (const entry of known) {
    if (entry.file === file && !results.some((mutant) => isKnown(entry, mutant)))
      console.log(`${EQUIVALENT} has what is no longer there: ${file}: ${entry.line}`)
  }
  const equivalent = results.filter(({ status }) => status === 'known').length
  const counts = { mutants: results.length, equivalent, survived: survivors.length }
  console.error(`${file}: ${describe(counts)}`)
  return counts
}

const describe = ({ mutants, equivalent, survived }) =>
  `${mutants} mutants, ${mutants - equivalent - survived} killed, ${equivalent} equivalent, ${survived} survived`

// Short: the path of a unix socket below it has 107 bytes in all, unix(7).
const directory = mkdtempSync(join(tmpdir(), 'sm-'))
const env = { ...process.env, SSHJOB_TEST_RUN: directory, XDG_CACHE_HOME: '', NODE_EXTRA_CA_CERTS: '' }
const total = { mutants: 0, equivalent: 0, survived: 0 }
const all = []

async function work(queue) {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const say = (line) => console.error(line)
    const name = relative(root, file)
    const isListed = (mutant) =>
      !values.all && known.some((entry) => isKnown(entry, { ...mutant, file: name }))
    const results = await tryFile(root, file, testsOf(file), isListed, { directory, env, say })
    const named = results.map((mutant) => ({ ...mutant, file: name }))
    const counts = judge(name, named)
    for (const kind of Object.keys(total)) total[kind] += counts[kind]
    all.push(...named)
    if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(all, undefined, 1))
  }
}

try {
  const queue = positionals.flatMap((path) => sourcesIn(resolve(path)))
  await Promise.all(Array.from({ length: Number(values.workers) }, () => work(queue)))
} finally {
  for (const { pid } of leftProcesses(directory)) process.kill(pid, 'SIGKILL')
  rmSync(directory, { recursive: true, force: true })
}
console.log(describe(total))
process.exitCode = total.survived > 0 ? 1 : 0
