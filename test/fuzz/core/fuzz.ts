import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leftProcesses } from '../../../scripts/leftovers.mjs'
import { type Case, keepCase, readCase, writeCase } from './case-file.js'
import { minimise } from './minimise.js'
import { CASE_LIMIT_MS } from './run-case.js'
import { decodeScript, encodeScript, type Script } from './script.js'
import { bundleWorker, runWorker, workerFile } from './worker-process.js'
import type { Order, Report, Task } from './worker-protocol.js'

/** While a case is made smaller, one that hangs need not be waited for so long. */
const MINIMISING_LIMIT_MS = 5_000
const MINIMISING_MS = 5 * 60_000
/** Of a case that is shown. */
const SHOWN_CHARACTERS = 4_000
const PROGRESS_MS = 30_000

export interface FuzzOptions {
  /** The module with the TARGETS. */
  targets: string
  /** The directory in which failing cases are kept. */
  found: string
  minutes: number
  /** A hundred cases for each target. */
  rounds: number
  seed: number
  /** The beginning of the names of those targets that are meant. */
  only: string
  say: (line: string) => void
}

/** Of targets: those for which there was no time are skipped. */
export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** Fuzzes the targets; a target is done with once it has failed. */
export async function fuzz(options: FuzzOptions): Promise<Counts> {
  // Short: the path of a unix socket below it has 107 bytes in all, unix(7).
  const directory = mkdtempSync(join(tmpdir(), 'fz-'))
  try {
    return await new Run(directory, options).go()
  } finally {
    for (const { pid } of leftProcesses(directory)) process.kill(pid, 'SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A case that failed, or a target for which no single case is to blame. */
type Failure = Omit<Case, 'script'> & { script: Script | undefined }

/** What the cases of a target came to. */
interface Tally {
  outcomes: Map<string, number>
  cases: number
  /** Cases that have reached something new. */
  news: number
}

class Run {
  readonly #directory: string
  readonly #options: FuzzOptions
  readonly #file = workerFile(`worker-${process.pid}`)
  readonly #environment: NodeJS.ProcessEnv
  readonly #tallies = new Map<string, Tally>()
  #said = Date.now()

  constructor(directory: string, options: FuzzOptions) {
    this.#directory = directory
    this.#options = options
    mkdirSync(join(directory, 't'))
    this.#environment = {
      ...process.env,
      TMPDIR: join(directory, 't'),
      HOME: directory,
      SSHJOB_TEST_RUN: directory,
      NODE_EXTRA_CA_CERTS: '',
    }
  }

  async go(): Promise<Counts> {
    const { minutes, rounds, seed, say, only } = this.#options
    await bundleWorker(this.#options.targets, this.#file)
    try {
      const names = (await this.#targetNames()).filter((name) => name.startsWith(only))
      if (names.length === 0) throw new Error(`No target's name begins with ${only}.`)
      const long = Number.isFinite(minutes) ? `${minutes} min` : `${rounds} rounds`
      say(`Fuzzing ${names.join(', ')} for ${long} with --seed ${seed}`)
      const failed = await this.#fuzz(names, Date.now() + minutes * 60_000)
      for (const [name, tally] of this.#tallies) say(describe(name, tally))
      const passed = [...this.#tallies.keys()].filter((name) => !failed.has(name)).length
      return { passed, failed: failed.size, skipped: names.length - passed - failed.size }
    } finally {
      rmSync(this.#file)
    }
  }

  async #targetNames(): Promise<string[]> {
    const names: string[] = []
    await this.#work({ kind: 'replay', cases: [] }, (report) => {
      if (report.kind === 'ready') names.push(...report.targets)
    })
    return names
  }

  /** Gives the names of those that failed. */
  async #fuzz(names: string[], until: number): Promise<Set<string>> {
    const { rounds, say } = this.#options
    const left = new Set(names)
    const failed = new Set<string>()
    for (let start = 0; left.size > 0 && (start === 0 || Date.now() < until); start++) {
      const seed = this.#options.seed + start
      const failure = await this.#work({ kind: 'fuzz', seed, targets: [...left], until, rounds }, (report) =>
        this.#note(report),
      )
      if (failure === undefined) break
      const { target, script } = failure
      say(`${target} failed: ${failure.failure}`)
      failed.add(target)
      left.delete(target)
      if (script !== undefined) await this.#keep({ ...failure, script })
    }
    return failed
  }

  /**
   * What failed, if anything did.
   * @throws Error where the worker ended before its first case
   */
  async #work(
    task: Task,
    onReport: (report: Report) => void,
    limitMs = CASE_LIMIT_MS,
  ): Promise<Failure | undefined> {
    const current = join(this.#directory, 'current.json')
    const order: Order = { ...task, current, mark: this.#directory, limitMs }
    let failure: Failure | undefined
    const end = await runWorker(this.#file, order, this.#environment, (report) => {
      if (report.kind === 'failed') {
        const { target, script } = report
        failure = { target, failure: report.failure, script: script && decodeScript(script) }
      }
      onReport(report)
    })
    if (end.kind === 'told') return failure
    if (statSync(current).size === 0) throw new Error(end.how)
    return { ...readCase(current), failure: end.how }
  }

  #note(report: Report): void {
    if (report.kind !== 'slice') return
    const tally = this.#tallies.get(report.target) ?? { outcomes: new Map(), cases: 0, news: 0 }
    this.#tallies.set(report.target, tally)
    for (const outcome of report.outcomes) tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
    tally.cases += report.outcomes.length
    tally.news += report.news
    if (Date.now() - this.#said < PROGRESS_MS) return
    this.#said = Date.now()
    const cases = [...this.#tallies.values()].reduce((sum, one) => sum + one.cases, 0)
    this.#options.say(`${cases} cases, ${report.reached} places reached`)
  }

  async #keep(failure: Case): Promise<void> {
    const { say, found } = this.#options
    const deadline = Date.now() + MINIMISING_MS
    const smallest = await minimise(failure.script, async (candidates) =>
      Date.now() > deadline ? undefined : this.#firstToFail(failure.target, candidates, MINIMISING_LIMIT_MS),
    )
    // A busy machine may have made a case seem to hang.
    const real = (await this.#firstToFail(failure.target, [smallest], CASE_LIMIT_MS)) === 0
    const kept = { ...failure, script: real ? smallest : failure.script }
    if (!real && (await this.#firstToFail(failure.target, [failure.script], CASE_LIMIT_MS)) === undefined)
      say('It does not fail when it is run alone: cases before it may matter.')
    say(`Kept as ${keepCase(found, kept)}:`)
    say(JSON.stringify(encodeScript(kept.script)).slice(0, SHOWN_CHARACTERS))
  }

  async #firstToFail(
    target: string,
    scripts: readonly Script[],
    limitMs: number,
  ): Promise<number | undefined> {
    const directory = mkdtempSync(join(this.#directory, 'c'))
    const cases = scripts.map((script, index) => {
      const path = join(directory, `${index}.json`)
      writeCase(path, { target, script, failure: '' })
      return path
    })
    let last: number | undefined
    const note = (report: Report): void => {
      if (report.kind === 'replaying') last = report.index
    }
    const failure = await this.#work({ kind: 'replay', cases }, note, limitMs)
    rmSync(directory, { recursive: true })
    return failure === undefined ? undefined : last
  }
}

function describe(name: string, { outcomes, cases, news }: Tally): string {
  const shares = [...outcomes].map(([outcome, count]) => `${outcome} ${Math.round((100 * count) / cases)} %`)
  return `${name}: ${cases} cases, ${news} of them led to something new; ${shares.join(', ')}`
}
