import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MEMORY_IDLE_SHARE, MEMORY_LOOK_MS, MEMORY_SPARE_BYTES } from '../core/limits.js'
import { libc } from './libc.js'

/**
 * Gives back what a burst of work has left to this process: the memory counts against the job's. V8 collects what is
 * unused when it needs more, and malloc(3) keeps what is freed for the next time; neither ever comes for a process that
 * has nothing to do.
 */
export class MemoryKeeper {
  #users = 0
  #timer: NodeJS.Timeout | undefined
  #kept = process.memoryUsage.rss()
  #used = process.cpuUsage()

  /** Somebody is served from now on, until what this gives is called. Looks as long as anybody is. */
  begin(): () => void {
    this.#users += 1
    this.#timer ??= setInterval(() => this.#look(), MEMORY_LOOK_MS).unref()
    return () => {
      this.#users -= 1
    }
  }

  #look(): void {
    const { user, system } = process.cpuUsage(this.#used)
    this.#used = process.cpuUsage()
    // While it works, it would only have to ask for it again.
    if (user + system > MEMORY_LOOK_MS * 1_000 * MEMORY_IDLE_SHARE) return
    if (process.memoryUsage.rss() - this.#kept >= MEMORY_SPARE_BYTES) {
      collect()
      trim()
      this.#kept = process.memoryUsage.rss()
      this.#used = process.cpuUsage()
    } else if (this.#users === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }
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
