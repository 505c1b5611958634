import { childrenCpuTime, cpuTime } from './processes.js'
import { median } from './statistics.js'

/** One of those that are compared. */
export interface Side {
  /** What has to be done before each round, and is not measured. */
  prepare?: () => Promise<void>
  /** Does the work once; resolves when it is done. */
  work: () => Promise<void>
  /** The process that serves it, whose processor time counts as well. */
  server: number
}

export interface Measured {
  /** Median of the rounds' wall-clock times, in ms. */
  ms: number
  /** Processor time of a round, the client's and the server's, in ms: the mean. */
  cpu: number
}

/**
 * Lets the sides do their work in turns, so that what else the machine does meets all of them alike: each round in
 * the opposite order of the one before, after one that doesn't count.
 */
export async function alternate(sides: readonly Side[], rounds: number): Promise<Measured[]> {
  for (const side of sides) {
    await side.prepare?.()
    await side.work()
  }
  const results = sides.map((side) => ({
    side,
    times: [] as number[],
    clientCpu: 0,
    serverCpu: cpuTime(side.server),
  }))
  for (let round = 0; round < rounds; round++) {
    for (const result of round % 2 === 0 ? results : [...results].reverse()) {
      await result.side.prepare?.()
      const cpu = childrenCpuTime()
      const start = performance.now()
      await result.side.work()
      result.times.push(performance.now() - start)
      result.clientCpu += childrenCpuTime() - cpu
    }
  }
  return results.map(({ side, times, clientCpu, serverCpu }) => ({
    ms: median(times),
    cpu: (clientCpu + cpuTime(side.server) - serverCpu) / rounds,
  }))
}
