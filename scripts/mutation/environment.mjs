// The environment of a test file whose sources are full of mutants, all of them asleep. Jest runs the file once, which
// shows what each test reaches; then its tests are run for one mutant after the other.
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { TestEnvironment } from 'jest-environment-node'
import { nameOf, runTests, TestTimeout, testsBelow } from './run-tests.mjs'

/** The pipe to scripts/mutate.mjs. */
const REPORT_FD = 3
/** A test that takes longer than this, and than so many times of what it takes, is taken for one that never ends. */
const LIMIT_MS = 1_500
const LIMIT_FACTOR = 20
/** … if it takes a small part of that without the mutant, at the same load of the machine. */
const LOAD_FACTOR = 5
/** How often code may be reached, in times of what it is otherwise, before that is taken for a loop without an end. */
const HIT_FACTOR = 100
const HITS_MIN = 10_000
/** What a test has closed may need a moment to be gone. */
const GRACE_MS = 2_000
const POLL_MS = 10

const report = (message) => writeSync(REPORT_FD, `${JSON.stringify(message)}\n`)

const countResources = () => {
  const counts = new Map()
  for (const name of process.getActiveResourcesInfo())
    if (/Wrap$|^(Timeout|MessagePort|Immediate)$/.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

async function leavesOpen(before) {
  const more = () => [...countResources()].some(([name, count]) => count > (before.get(name) ?? 0))
  for (const deadline = Date.now() + GRACE_MS; more(); await delay(POLL_MS))
    if (Date.now() > deadline) return true
  return false
}

const sum = (counts, more) => {
  for (const [id, count] of Object.entries(more)) counts.set(id, (counts.get(id) ?? 0) + count)
  return counts
}

export default class extends TestEnvironment {
  /** Stryker's switches look here, and note here that they were passed. */
  #switches = { mutantCoverage: { static: {}, perTest: {} } }
  /** What was reached before the first test. */
  #atLoad = {}
  #failure
  /** Tests have a copy of `process`, to which no signal comes. */
  #childEnded = () => this.global.process.emit('SIGCHLD', 'SIGCHLD')
  /** Milliseconds, by the tests' numbers. */
  #times = []

  async setup() {
    await super.setup()
    for (const name of ['stdout', 'stderr']) void process[name]
    process.on('SIGCHLD', this.#childEnded)
    this.global.__stryker__ = this.#switches
    this.#switches.activeMutant = process.env.SSHJOB_MUTANT
  }

  async teardown() {
    process.off('SIGCHLD', this.#childEnded)
    await super.teardown()
  }

  async handleTestEvent(event, state) {
    if (process.env.SSHJOB_MUTANT !== undefined) return
    const { mutantCoverage } = this.#switches
    switch (event.name) {
      case 'run_start':
        this.#atLoad = mutantCoverage.static
        mutantCoverage.static = {}
        break
      case 'test_start':
        this.#switches.currentTestId = `t${this.#times.length}`
        event.test.started = performance.now()
        break
      case 'test_done':
      case 'test_skip':
      case 'test_todo':
        this.#switches.currentTestId = undefined
        if (event.name === 'test_done') {
          event.test.number = this.#times.length
          this.#times.push(performance.now() - event.test.started)
        }
        break
      case 'error':
        this.#failure ??= event.error
        break
      case 'run_finish':
        await this.#tryMutants(state)
    }
  }

  async #tryMutants({ rootDescribeBlock: root }) {
    const entries = testsBelow(root)
    const broken = entries.filter(({ test }) => test.errors.length > 0)
    if (broken.length > 0) return report({ kind: 'broken', tests: broken.map(nameOf) })
    const { perTest, static: beside } = this.#switches.mutantCoverage
    const reached = entries.map(({ test }) => perTest[`t${test.number}`] ?? {})
    const hits = reached.reduce(sum, sum(new Map(), beside))
    report({ kind: 'reached', atLoad: Object.keys(this.#atLoad), byTests: [...hits.keys()] })

    const quiet = !(await leavesOpen(await this.#baseline(root)))
    const wanted = JSON.parse(process.env.SSHJOB_MUTANTS ?? '[]')
    for (const id of wanted.filter((id) => hits.has(id))) {
      const covering = new Set(
        entries.filter((_, at) => id in beside || id in reached[at]).map(({ test }) => test),
      )
      report({ kind: 'trying', id })
      const result = await this.#try(root, id, { covering, hits: hits.get(id) ?? 0, quiet })
      report({ ...result, id })
      if (result.kind === 'unsure') return
    }
    report({ kind: 'done' })
  }

  /** What is open when all tests have run a second time: what they keep for later is there by then. */
  async #baseline(root) {
    await this.#run(root, () => true)
    return countResources()
  }

  async #try(root, id, { covering, hits, quiet }) {
    const before = countResources()
    Object.assign(this.#switches, {
      activeMutant: id,
      hitCount: 0,
      hitLimit: Math.max(HITS_MIN, hits * HIT_FACTOR),
    })
    const failed = await this.#run(root, ({ test }) => covering.has(test))
    const leaky = failed === undefined && quiet && (await leavesOpen(before))
    Object.assign(this.#switches, { activeMutant: undefined, hitCount: undefined })
    if (failed === undefined && !leaky) return { kind: 'survived', tests: covering.size }
    if (leaky) return { kind: 'unsure', by: 'what it leaves open' }
    const { entry, error } = failed
    const started = performance.now()
    const again = await this.#run(root, ({ test }) => (entry ? test === entry.test : covering.has(test)))
    const takes = performance.now() - started
    const timeout = error instanceof TestTimeout
    // What it has left behind might be what fails from now on: then nothing is sure in this process any more.
    const sure = again === undefined && !(timeout && takes * LOAD_FACTOR > LIMIT_MS)
    return { kind: sure ? 'killed' : 'unsure', by: entry ? nameOf(entry) : 'around its tests', timeout }
  }

  #run(root, wanted) {
    this.#failure = undefined
    const limit = (entry) => Math.max(LIMIT_MS, LIMIT_FACTOR * (this.#times[entry?.test.number] ?? 0))
    return runTests(root, wanted, limit, () => this.#failure)
  }
}
