import { setTimeout as delay } from 'node:timers/promises'
import { TestEnvironment } from 'jest-environment-node'

/** What a test has closed may need a moment to be gone. */
const GRACE_MS = 5_000
const POLL_MS = 20

/** What keeps the event loop alive, but for what passes by itself: requests to the file system and the like. */
function countResources() {
  const counts = new Map()
  for (const name of process.getActiveResourcesInfo()) {
    if (/Wrap$|^(Timeout|MessagePort|Immediate)$/.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/**
 * Node.js, and each file has to close what it opened. Jest itself notices only that a worker needs more than half a
 * second to end: it can't say whose fault that is, and on a busy machine it is nobody's.
 */
export default class extends TestEnvironment {
  #before = new Map()
  /** Tests have a copy of `process`, to which no signal comes. */
  #childEnded = () => this.global.process.emit('SIGCHLD', 'SIGCHLD')

  async setup() {
    await super.setup()
    // Made when first asked for, and open from then on; in a worker they are pipes.
    for (const name of ['stdout', 'stderr']) void process[name]
    process.on('SIGCHLD', this.#childEnded)
    this.#before = countResources()
  }

  async teardown() {
    process.off('SIGCHLD', this.#childEnded)
    await super.teardown()
    const deadline = Date.now() + GRACE_MS
    let left = this.#left()
    while (left.length > 0 && Date.now() < deadline) {
      await delay(POLL_MS, undefined, { ref: false })
      left = this.#left()
    }
    if (left.length > 0) throw new Error(`This file left something open: ${left.join(', ')}.`)
  }

  #left() {
    return [...countResources()]
      .filter(([name, count]) => count > (this.#before.get(name) ?? 0))
      .map(([name, count]) => `${count - (this.#before.get(name) ?? 0)} ${name}`)
  }
}
