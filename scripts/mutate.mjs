// Changes the sources, one operator, condition, block or literal at a time, and runs the unit tests that reach the
// change: what none of them notices is printed. `npm run mutate -- FILE|FOLDER…`, with --workers N; docs/testing.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { leftProcesses } from './leftovers.mjs'
import { mutantsOf } from './mutation/mutants.mjs'
import { failsFromTheStart, runFile } from './mutation/worker.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
/** What no test can notice, and why. */
const EQUIVALENT = join(root, 'scripts/mutation/equivalent.json')
/** What so many files of tests don't notice, the nearest first, the others hardly will. */
const FILES_PER_MUTANT = 15
const USAGE = 'Usage: npm run mutate -- [--workers N] [--json FILE] FILE|FOLDER…'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { workers: { type: 'string', default: '2' }, json: { type: 'string' } },
})

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}

function sourcesIn(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true })
    .map((name) => join(path, name))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
}

/** The unit tests that import one of the files, directly or not. */
function testsOf(files) {
  const args = [
    'node_modules/jest/bin/jest.js',
    '--roots',
    'test',
    'src',
    '--listTests',
    '--findRelatedTests',
    ...files,
  ]
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) fail('Jest could not tell which tests there are.')
  return stdout.split('\n').filter((path) => /\/test\/(unit|compliance)\//.test(path))
}

/** How many folders a test and a source have in common, so that the tests of a file come first. */
function nearness(test, file) {
  const [of, wanted] = [test, file].map((path) => path.replace(/\.(test\.)?ts$/, '').split('/'))
  const at = wanted.findIndex((part, index) => part !== of[index])
  return at < 0 ? wanted.length : at
}

if (positionals.length === 0 || !/^[1-9]\d*$/.test(values.workers)) fail(USAGE)
const files = positionals.flatMap((path) => sourcesIn(resolve(path)))
const { mutants, texts } = await mutantsOf(files)

// Short: the path of a unix socket below it has 107 bytes in all, unix(7).
const run = mkdtempSync(join(tmpdir(), 'sm-'))
for (const name of ['t', 'home', 'texts']) mkdirSync(join(run, name))
const written = [...texts].map(([file, text], index) => {
  const path = join(run, 'texts', `${index}.ts`)
  writeFileSync(path, text)
  return [file, path]
})
writeFileSync(join(run, 'texts.json'), JSON.stringify(Object.fromEntries(written)))
const env = {
  ...process.env,
  SSHJOB_MUTATION: run,
  SSHJOB_TEST_RUN: run,
  TMPDIR: join(run, 't'),
  HOME: join(run, 'home'),
  XDG_CACHE_HOME: '',
  NODE_EXTRA_CA_CERTS: '',
}

/** By the ids: what became of each. None yet: no test has reached it. */
const results = new Map()
const isOpen = (id) => results.get(id)?.status !== 'killed'
const isTired = (id) => (results.get(id)?.files ?? 0) >= FILES_PER_MUTANT
const atLoad = new Map()
const started = Date.now()

function note(id, status, by) {
  if (isOpen(id)) results.set(id, { status, by, files: (results.get(id)?.files ?? 0) + 1 })
}

/** Mutants with one test file, in as many processes as it takes. */
async function tryFile(test, share) {
  const name = relative(root, test)
  let wanted = share.map(({ id }) => id).filter((id) => isOpen(id) && !isTired(id))
  let reached = false
  while (wanted.length > 0) {
    const over = new Set()
    let doubtful
    const { done, hung, said } = await runFile(root, test, wanted, env, (message) => {
      const { kind, id, by } = message
      if (kind === 'reached') {
        for (const one of message.atLoad) atLoad.set(one, (atLoad.get(one) ?? new Set()).add(test))
        if (!reached) wanted = message.byTests.filter((one) => wanted.includes(one))
        reached = true
      }
      if (kind === 'broken') console.error(`${name} fails without any mutant: ${message.tests.join(', ')}`)
      if (kind === 'survived') note(id, 'survived')
      if (kind === 'killed') note(id, 'killed', `${name}: ${by}`)
      // The first of a process, so nothing was before it: it is this one that fails.
      if (kind === 'unsure' && over.size === 0) note(id, 'killed', `${name}: ${by}`)
      else if (kind === 'unsure') doubtful = id
      if (['survived', 'killed', 'unsure'].includes(kind)) over.add(id)
    })
    if (hung !== undefined) note(hung, 'killed', `${name}: no end`)
    else if (!done) return console.error(`${name} could not be run:\n${said}`)
    over.add(hung)
    wanted = wanted.filter((id) => !over.has(id))
    if (doubtful !== undefined) wanted.unshift(doubtful)
    else if (done) return
  }
}

/** A share of the mutants with all files of tests, the nearest first. */
async function tryShare(share, tests) {
  for (const [index, test] of tests.entries()) {
    await tryFile(test, share)
    const open = share.filter(({ id }) => isOpen(id)).length
    const minutes = ((Date.now() - started) / 60_000).toFixed(1)
    process.stderr.write(
      `${minutes} min: ${open} of ${share.length} left, ${tests.length - index - 1} files to do\n`,
    )
  }
  for (const { id, file } of share.filter(({ id }) => isOpen(id) && atLoad.has(id))) {
    const those = [...(atLoad.get(id) ?? [])].sort((a, b) => near(b, file) - near(a, file))
    const failed = await failsFromTheStart(root, those.slice(0, FILES_PER_MUTANT), id, env)
    note(id, failed ? 'killed' : 'survived', 'from the start')
  }
}

const near = (test, file) =>
  nearness(relative(join(root, 'test/unit'), test), relative(join(root, 'src'), file))
const nearest = (test) => Math.max(...files.map((file) => near(test, file)))
const tests = testsOf(files).sort((a, b) => nearest(b) - nearest(a))
console.error(`${mutants.length} mutants in ${files.length} files, ${tests.length} files of tests`)
try {
  const shares = Array.from({ length: Number(values.workers) }, (_, share) =>
    mutants.filter((_, index) => index % Number(values.workers) === share),
  )
  await Promise.all(shares.map((share) => tryShare(share, tests)))
} finally {
  for (const { pid } of leftProcesses(run)) process.kill(pid, 'SIGKILL')
  rmSync(run, { recursive: true, force: true })
}

const keyOf = ({ file, line, from, to }) => JSON.stringify([relative(root, file), line, from, to])
const equivalent = new Map(
  JSON.parse(readFileSync(EQUIVALENT, 'utf8')).map((entry) => [
    keyOf({ ...entry, file: join(root, entry.file) }),
    entry,
  ]),
)
const left = mutants.filter((mutant) => isOpen(mutant.id))
const known = left.filter((mutant) => equivalent.has(keyOf(mutant)))
const survivors = left.filter((mutant) => !equivalent.has(keyOf(mutant)))
for (const { id, file, row, line, from, to } of survivors) {
  const reached = results.has(id) ? '' : ' (no test reaches it)'
  console.log(`${relative(root, file)}:${row}${reached}\n    ${line}\n  - ${from}\n  + ${to}`)
}
const seen = new Set(known.map(keyOf))
for (const [key, entry] of equivalent) {
  if (files.includes(join(root, entry.file)) && !seen.has(key))
    console.log(
      `${entry.file}: no longer there, or killed, so take it out of ${relative(root, EQUIVALENT)}: ${entry.line}`,
    )
}
if (values.json !== undefined) {
  const all = mutants.map((mutant) => ({
    ...mutant,
    file: relative(root, mutant.file),
    ...results.get(mutant.id),
  }))
  writeFileSync(values.json, JSON.stringify(all, undefined, 1))
}
console.log(
  `${mutants.length} mutants, ${mutants.length - left.length} killed, ${known.length} equivalent, ${survivors.length} survived`,
)
process.exitCode = survivors.length > 0 ? 1 : 0
