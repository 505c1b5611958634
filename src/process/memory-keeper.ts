import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MEMORY_IDLE_SHARE, MEMORY_LOOK_MS, MEMORY_SPARE_BYTES, MEMORY_WORK_MS } from '../core/limits.js'
import { libc } from './libc.js'

/**
 * Gives back what a burst of work has left to this process: the memory counts against the job's. V8 collects what is
 * unused when it needs more, and malloc(3) keeps what is freed for the next time; neither ever comes for a process that
 * has nothing to do.
 */
export class MemoryKeeper {
  #users = 0
  #timer: NodeJS.Timeout | undefined
  /** What it had after the last time, and the least of that while somebody was served. */
  #kept = resident()
  /** At the last look, and at the last time. */
  #looked = process.cpuUsage()
  #collected = process.cpuUsage()
  /** Somebody has gone since the last time. */
  #hasEnded = false

  /** Somebody is served from now on, until what this gives is called. Looks as long as anybody is. */
  begin(): () => void {
    this.#users += 1
    this.#timer ??= setInterval(() => this.#look(), MEMORY_LOOK_MS).unref()
    return () => {
      this.#users -= 1
      this.#hasEnded = true
    }
  }

  #look(): void {
    const busyMs = millisecondsSince(this.#looked)
    this.#looked = process.cpuUsage()
    // While it works, it would only have to ask for it again.
    if (busyMs > MEMORY_LOOK_MS * MEMORY_IDLE_SHARE) return
    // What somebody still held the last time, who only waited, may be free by now.
    const hasChanged = this.#hasEnded || millisecondsSince(this.#collected) > MEMORY_WORK_MS
    if (hasChanged && resident() - this.#kept >= MEMORY_SPARE_BYTES) {
      collect()
      trim()
      this.#kept = this.#users === 0 ? resident() : Math.min(this.#kept, resident())
      this.#hasEnded = false
      this.#looked = process.cpuUsage()
      this.#collected = this.#looked
    } else if (this.#users === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }
}

/** Of a processor. */
function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc === 'function') gc()
}

function trim(): void {
  try {
    // musl has none, and gives back what it can by itself.
    libc().mallocTrim?.(0)
  } catch {
    // Without koffi it stays as it is.
  }
}

function resident(): number {
  try {
    return process.memoryUsage.rss()
  } catch {
    return 0 // without a /proc there is no telling, and nothing is looked for
  }
}
