// The process in which the cases run: whatever they do to it, test/fuzz/main.ts looks on.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { memoryInUse } from '../helpers/memory-in-use.js'
import { processesWith } from '../helpers/processes.js'
import { readCase, writeCase } from './core/case-file.js'
import { Coverage } from './core/coverage.js'
import { applyMutation, mutation } from './core/mutations.js'
import { allowanceOf, type Open, onUncaught, runCase, whatIsOpen } from './core/run-case.js'
import { encodeScript, type Script } from './core/script.js'
import type { OpenTarget, Target } from './core/target.js'
import type { Order, Report } from './core/worker-protocol.js'

/** Cases of one target in a row. */
const SLICE = 100
/** Of those, as many as this come from the ones that have reached something new, changed a little. */
const EVOLVED = 60
/** How many such are kept for each target. */
const KEPT_MAX = 500
/** What cases may add to memory for good, all in all. What V8 has compiled, and what has been seen, counts as well. */
const GROWTH_LIMIT = 128 * 2 ** 20
/** Of what a case failed with. */
const SHOWN_CHARACTERS = 4_000
/** What a slice has started may take a moment to end. */
const PROCESS_GRACE_MS = 5_000

/** A target while its slices last. */
interface Fuzzed {
  target: Target
  open: OpenTarget
  /** What was open when it was opened. */
  since: Open
  kept: Script[]
  cases: number
  /** Bytes in use after the first slice. */
  memory: number | undefined
}

const { thrown } = onUncaught()
const report = (message: Report): void => void process.send?.(message)

/** What a target failed with, and in which case, if that can be told. */
class Failure extends Error {
  readonly target: string
  readonly script: Script | undefined

  constructor(target: Target, cause: unknown, script?: Script) {
    super('a target failed', { cause })
    this.target = target.name
    this.script = script
  }
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return `${cause.message}\n${cause.stack ?? ''}`.slice(0, SHOWN_CHARACTERS)
}

async function run(
  { target, open, since }: Pick<Fuzzed, 'target' | 'open' | 'since'>,
  script: Script,
  { current, limitMs }: Order,
): Promise<string> {
  // So that it is known which one it was, should it be the last.
  writeCase(current, { target: target.name, script, failure: '' })
  try {
    return await runCase(open, script, { thrown, limitMs, ...allowanceOf(target, since) })
  } catch (cause) {
    throw new Failure(target, cause, script)
  }
}

/** The same for the same seed, target and round, but for those that are made of what was reached before. */
function scriptsFor({ target, kept }: Fuzzed, seed: number): Script[] {
  const evolved = kept.length === 0 ? 0 : EVOLVED
  const fresh = fc.sample(target.scripts, { seed, numRuns: SLICE - evolved })
  const changes = fc.array(mutation, { minLength: 1, maxLength: 6 })
  const parents = fc.sample(fc.tuple(fc.nat(), fc.nat(), changes), { seed, numRuns: Math.max(1, evolved) })
  const relatives = parents.slice(0, evolved).map(([first, second, list]) => {
    const parent = kept[first % kept.length] ?? []
    const other = kept[second % kept.length] ?? []
    // Now and then the beginning of one and the end of another.
    const base = second % 4 === 0 ? [...parent.slice(0, first % (parent.length + 1)), ...other] : parent
    return list.reduce(applyMutation, base)
  })
  return [...fresh, ...relatives]
}

async function slice(fuzzed: Fuzzed, seed: number, order: Order, coverage: Coverage): Promise<void> {
  const { target, kept } = fuzzed
  const outcomes: string[] = []
  let news = 0
  for (const script of scriptsFor(fuzzed, seed)) {
    outcomes.push(await run(fuzzed, script, order))
    if (!coverage.grow()) continue
    news++
    kept.push(script)
    if (kept.length > KEPT_MAX) kept.splice(0, KEPT_MAX / 2)
  }
  fuzzed.cases += outcomes.length
  report({ kind: 'slice', target: target.name, outcomes, news, reached: coverage.size })
  const memory = memoryInUse()
  fuzzed.memory ??= memory
  if (memory - fuzzed.memory > GROWTH_LIMIT) {
    const mebibytes = Math.round((memory - fuzzed.memory) / 2 ** 20)
    throw new Failure(target, `${fuzzed.cases} cases have left ${mebibytes} MiB behind`)
  }
  await checkProcesses(target, order.mark)
}

async function checkProcesses(target: Target, mark: string): Promise<void> {
  const deadline = Date.now() + PROCESS_GRACE_MS
  for (let left = processesWith(mark); left.length > 0; left = processesWith(mark)) {
    if (Date.now() > deadline) throw new Failure(target, `processes are left behind: ${left.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Opens the target with a directory of its own below the temporary one. */
async function opened<T>(target: Target, use: (open: OpenTarget) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'f'))
  const open = await target.open(directory)
  try {
    return await use(open)
  } finally {
    await open.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Slices of all targets in turn, until the time is up. */
async function fuzz(known: readonly Target[], order: Extract<Order, { kind: 'fuzz' }>): Promise<void> {
  const targets = known.filter(({ name }) => order.targets.includes(name))
  const coverage = new Coverage(import.meta.url)
  const all: Fuzzed[] = []
  for (const target of targets) {
    const open = await target.open(mkdtempSync(join(tmpdir(), 'f')))
    const since = whatIsOpen()
    all.push({ target, open, since, kept: [], cases: 0, memory: undefined })
  }
  for (let round = 0; round < order.rounds && Date.now() < order.until; round++) {
    for (const fuzzed of all) {
      if (Date.now() >= order.until) break
      await slice(fuzzed, seedFor(order.seed, fuzzed.target, round), order, coverage)
    }
  }
  for (const { open } of all) await open.close()
}

/** The same, whichever targets there are besides. */
function seedFor(seed: number, { name }: Target, round: number): number {
  return createHash('sha256').update(`${seed} ${name} ${round}`).digest().readInt32BE()
}

/** The first of these cases that fails, if any does. */
async function replay(targets: readonly Target[], order: Extract<Order, { kind: 'replay' }>): Promise<void> {
  for (const [index, path] of order.cases.entries()) {
    const { target: name, script } = readCase(path)
    const target = targets.find((one) => one.name === name)
    if (target === undefined) throw new TypeError(`there is no target ${name}`)
    report({ kind: 'replaying', index })
    await opened(target, (open) => run({ target, open, since: whatIsOpen() }, script, order))
  }
}

/** What the process is for. @param targets of which the order names those that it means */
export async function work(targets: readonly Target[], order: Order): Promise<void> {
  try {
    await (order.kind === 'fuzz' ? fuzz(targets, order) : replay(targets, order))
    report({ kind: 'done' })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { target, cause, script } = error
    const failure = describe(cause)
    report({ kind: 'failed', target, failure, ...(script && { script: encodeScript(script) }) })
  }
  process.disconnect?.()
  // Something of the case may still be at work.
  process.exit()
}
