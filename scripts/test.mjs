// Runs jest over all tests, and fails also on what a test leaves behind: processes, temporary files, open handles.
// Arguments go to jest: `npm test -- test/unit/job`.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findDifferences } from './clients-table.mjs'
import { leftFiles, leftProcesses } from './leftovers.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
/** A process that a test has ended may need a moment to be gone. */
const GRACE_MS = 5_000
/** A test that never gives the event loop back can't be timed out by jest. */
const RUN_LIMIT_MS = 20 * 60_000
/** Jest says this and hangs. What a single file leaves open, test-environment.mjs finds. */
const OPEN_HANDLES = 'Jest did not exit one second after'

// Short: the path of a unix socket below it has 107 bytes in all, unix(7).
const run = mkdtempSync(join(tmpdir(), 'sj-'))
const files = join(run, 't')
// Empty: bash reads .bashrc for each command of ours, and what stands there may wait for others (pyenv's: for a minute).
const home = join(run, 'home')
const results = join(run, 'results.json')
const skips = join(run, 'skips')
mkdirSync(files)
mkdirSync(home)
writeFileSync(skips, '')

/** Runs jest; resolves with its exit status and whether something was left open. */
function runJest() {
  const jest = join(root, 'node_modules/jest/bin/jest.js')
  const args = ['--json', '--outputFile', results, '--maxWorkers', '3', ...process.argv.slice(2)]
  const colour = process.stderr.isTTY ? { FORCE_COLOR: '1' } : {}
  const child = spawn(process.execPath, [jest, ...args], {
    cwd: root,
    // --json prints the whole result on stdout as well.
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...colour,
      TMPDIR: files,
      HOME: home,
      // Its place is below HOME then.
      XDG_CACHE_HOME: '',
      // Node.js reads them whenever it starts, for twice as long as it takes otherwise: only npm has a use for them.
      NODE_EXTRA_CA_CERTS: '',
      SSHJOB_TEST_CERTIFICATES: process.env.NODE_EXTRA_CA_CERTS ?? '',
      SSHJOB_TEST_RUN: run,
      SSHJOB_TEST_SKIPS: skips,
    },
  })
  let openHandles = false
  let tail = ''
  child.stderr.on('data', (chunk) => {
    process.stderr.write(chunk)
    tail = (tail + chunk).slice(-4096)
    if (openHandles || !tail.includes(OPEN_HANDLES)) return
    openHandles = true
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
  })
  setTimeout(() => {
    console.error(
      `The tests did not end in ${RUN_LIMIT_MS / 60_000} minutes: the last files above are finished, others hang.`,
    )
    child.kill('SIGKILL')
  }, RUN_LIMIT_MS).unref()
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status: status ?? 1, openHandles }))
  })
}

async function findLeftovers() {
  const deadline = Date.now() + GRACE_MS
  for (;;) {
    const processes = leftProcesses(run)
    if (processes.length === 0 || Date.now() > deadline) return { processes, left: leftFiles(files) }
    await delay(100)
  }
}

function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** Jest's own; undefined where it has ended before it wrote them. */
function readResults() {
  try {
    return JSON.parse(readFileSync(results, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}

function countTests(json) {
  if (json === undefined) return { passed: 0, failed: 0, skipped: 0 }
  return {
    passed: json.numPassedTests,
    // A suite that could not be run has no tests to count.
    failed: json.numFailedTests + json.numRuntimeErrorTestSuites,
    skipped: json.numPendingTests + json.numTodoTests,
  }
}

function printSkips() {
  const suites = new Map()
  for (const line of readFileSync(skips, 'utf8').split('\n').filter(Boolean)) {
    const [reason, title] = line.split('\t')
    suites.set(reason, [...(suites.get(reason) ?? []), title])
  }
  for (const [reason, titles] of suites) console.error(`Skipped (${reason}):\n  ${titles.join('\n  ')}`)
}

const { status, openHandles } = await runJest()
const { processes, left } = await findLeftovers()
const json = readResults()
const complaints = [
  ...(openHandles
    ? ['A test left something open: run jest with --detectOpenHandles on the last files above.']
    : []),
  ...processes.map(({ pid, command }) => `A test left a process behind: ${pid} ${command}`),
  ...left.map((name) => `A test left a temporary file behind: ${name}`),
  ...(json === undefined ? [] : findDifferences(json, { complete: process.argv.length === 2 })),
]
// They bear this run's mark, so they are ours to end.
for (const { pid } of processes) endProcess(pid)
const counts = countTests(json)
if (status !== 0 && counts.failed === 0) complaints.push(`jest ended with status ${status}.`)
counts.failed += complaints.length

printSkips()
for (const complaint of complaints) console.error(complaint)
console.error(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
const summary = process.env.SSHJOB_TEST_SUMMARY
if (summary) writeFileSync(summary, `${counts.passed} ${counts.failed} ${counts.skipped}\n`, { flag: 'a' })
rmSync(run, { recursive: true, force: true })
process.exitCode = status !== 0 || complaints.length > 0 ? 1 : 0
