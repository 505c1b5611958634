import { readdirSync, readlinkSync } from 'node:fs'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import type { Script } from './script.js'
import type { OpenTarget, Target } from './target.js'

/** How long one case may take on a busy machine. What takes longer hangs. */
export const CASE_LIMIT_MS = 30_000
/** What a case has closed may need a moment to be gone. */
const SETTLE_LIMIT_MS = 10_000
/** More than this for one case is what a small message should never cost. */
const MEMORY_LIMIT = 256 * 2 ** 20

/** What one case needs to know beside itself. */
export interface Circumstances {
  /** What has been thrown beside the cases so far, as onUncaught() collects it. */
  thrown: readonly unknown[]
  limitMs?: number
  /** How much more than `since` may be open afterwards. Default: nothing more than before the case. */
  keeps?: { most: number; since: Open }
}

/** What a target keeps, given what was open once it was. */
export function allowanceOf({ keeps }: Target, since: Open): Pick<Circumstances, 'keeps'> {
  return keeps === undefined ? {} : { keeps: { most: keeps, since } }
}

/** Runs one case: it has to end, to throw nothing that nobody hears of, and to leave nothing open. */
export async function runCase(target: OpenTarget, script: Script, around: Circumstances): Promise<string> {
  const { thrown, limitMs = CASE_LIMIT_MS, keeps = { most: 0, since: whatIsOpen() } } = around
  const memory = process.resourceUsage().maxRSS
  const outcome = await withLimit(target.run(script), limitMs)
  await turnOfEventLoop() // in which a rejection that nobody hears is told
  await settle(keeps.since, keeps.most)
  if (thrown.length > 0) throw thrown[0]
  const grown = (process.resourceUsage().maxRSS - memory) * 1024
  if (grown > MEMORY_LIMIT) throw new Error(`this case took ${Math.round(grown / 2 ** 20)} MiB of memory`)
  return outcome
}

function withLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`this case did not end in ${limitMs / 1000} s`))
    const timer = setTimeout(giveUp, limitMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export interface Open {
  descriptors: ReadonlySet<string>
  /** What keeps the event loop alive. */
  resources: ReadonlyMap<string, number>
}

export function whatIsOpen(): Open {
  const resources = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) {
    // Requests to the file system and the like pass by themselves.
    if (/Wrap$|^Timeout$/.test(name)) resources.set(name, (resources.get(name) ?? 0) + 1)
  }
  return { descriptors: new Set(readdirSync('/proc/self/fd')), resources }
}

/** Waits until no more is open than was before, or not much more. */
async function settle(before: Open, most: number): Promise<void> {
  const deadline = Date.now() + SETTLE_LIMIT_MS
  for (;;) {
    const left = findMore(before, whatIsOpen(), most)
    if (left.length === 0) return
    if (Date.now() > deadline) throw new Error(`this case left something open: ${left.join(', ')}`)
    await turnOfEventLoop()
  }
}

function findMore(before: Open, now: Open, most: number): string[] {
  const resources = [...now.resources].filter(
    ([name, count]) => count > (before.resources.get(name) ?? 0) + most,
  )
  const fresh = now.descriptors.size > before.descriptors.size + most ? [...now.descriptors] : []
  return [
    ...fresh.filter((fd) => !before.descriptors.has(fd)).map(linkOf),
    ...resources.map(([name]) => name),
  ]
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return `descriptor ${fd}, closed by now`
  }
}

/** Collects what would have ended the process, until it is taken back. */
export function onUncaught(): { thrown: unknown[]; stop(): void } {
  const thrown: unknown[] = []
  const note = (error: unknown): void => void thrown.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  return {
    thrown,
    stop: () => void process.off('uncaughtException', note).off('unhandledRejection', note),
  }
}
