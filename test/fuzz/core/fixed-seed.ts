import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { FUZZ_SEED } from '../../helpers/fuzz-seed.js'
import { allowanceOf, type Circumstances, onUncaught, runCase, whatIsOpen } from './run-case.js'
import { encodeScript, type Script } from './script.js'
import type { OpenTarget, Target } from './target.js'

const CASES = 300
const LIMIT_MS = 180_000
/** Of a case that fails; `npm run fuzz` makes it smaller, and keeps it. */
const SHOWN_CHARACTERS = 3_000

/** A test with a fixed seed for each of the targets: `npm run fuzz` goes on with others. */
export function fixedSeedTests(title: string, targets: readonly Target[]): void {
  it.each(targets.map((target) => [target.name, target] as const))(
    `${title} (%s)`,
    async (_name, target) => {
      const seen = new Set<string>()
      await withTarget(target, async (run) => {
        for (const script of fc.sample(target.scripts, { seed: FUZZ_SEED, numRuns: target.cases ?? CASES }))
          seen.add(await run(script))
      })
      expect([...seen].sort()).toEqual([...target.outcomes].sort())
    },
    LIMIT_MS,
  )
}

/** Opens a target with a directory of its own, and closes both. A case that fails shows itself. */
export async function withTarget<T>(
  target: Target,
  use: (run: (script: Script) => Promise<string>) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'fz-'))
  try {
    const open = await target.open(directory)
    const allowance = allowanceOf(target, whatIsOpen())
    try {
      return await use((script) => runAndShow(open, script, allowance))
    } finally {
      await open.close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function runAndShow(open: OpenTarget, script: Script, more: Partial<Circumstances>): Promise<string> {
  const { thrown, stop } = onUncaught()
  try {
    return await runCase(open, script, { thrown, ...more })
  } catch (cause) {
    const shown = JSON.stringify(encodeScript(script), undefined, 1).slice(0, SHOWN_CHARACTERS)
    throw new Error(`${cause}\nwith this case:\n${shown}`, { cause })
  } finally {
    stop()
  }
}
