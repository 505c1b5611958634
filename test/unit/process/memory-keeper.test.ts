import { MEMORY_LOOK_MS, MEMORY_SPARE_BYTES } from '../../../src/core/limits.js'
import { MemoryKeeper } from '../../../src/process/memory-keeper.js'

const MIB = 1024 * 1024

/** What this process has, and what of it somebody needs: the rest is given back by malloc_trim(3) alone. */
let memory = { resident: 0, needed: 0 }
let trims = 0
jest.mock('../../../src/process/libc.js', () => ({
  libc: () => ({
    mallocTrim: () => {
      trims += 1
      memory = { ...memory, resident: memory.needed }
    },
  }),
}))

describe('the memory of a process that serves', () => {
  let cpu = 0
  const look = (busyMs: number): void => {
    cpu += busyMs * 1_000
    jest.advanceTimersByTime(MEMORY_LOOK_MS)
  }
  const take = (bytes: number): void => {
    memory = { resident: memory.resident + bytes, needed: memory.needed + bytes }
  }
  const free = (bytes: number): void => {
    memory = { ...memory, needed: memory.needed - bytes }
  }

  beforeEach(() => {
    memory = { resident: 50 * MIB, needed: 50 * MIB }
    trims = 0
    cpu = 0
    jest.useFakeTimers()
    jest.spyOn(process.memoryUsage, 'rss').mockImplementation(() => memory.resident)
    jest.spyOn(process, 'cpuUsage').mockImplementation((before) => ({
      user: cpu - (before?.user ?? 0),
      system: 0,
    }))
  })
  afterEach(() => {
    jest.useRealTimers()
    jest.restoreAllMocks()
  })

  it('is given back once it has nothing to do, and not while it works', () => {
    const end = new MemoryKeeper().begin()
    take(200 * MIB)
    look(1_000)
    free(200 * MIB)
    look(1_000)
    expect([trims, memory.resident]).toEqual([0, 250 * MIB])
    end()
    look(10)
    expect([trims, memory.resident]).toEqual([1, 50 * MIB])
    look(0)
    expect(jest.getTimerCount()).toBe(0)
  })

  it('is given back also where it was needed still at the time of an earlier look', () => {
    const end = new MemoryKeeper().begin()
    take(200 * MIB)
    look(1_000)
    // Its client takes nothing for a while.
    look(0)
    expect([trims, memory.resident]).toEqual([1, 250 * MIB])
    for (let n = 0; n < 10; n++) look(0)
    expect(trims).toBe(1)
    free(200 * MIB)
    end()
    look(10)
    expect(memory.resident).toBe(50 * MIB)
  })

  it('is left as it is where there is little to win', () => {
    const end = new MemoryKeeper().begin()
    take(MEMORY_SPARE_BYTES - 1)
    look(1_000)
    free(MEMORY_SPARE_BYTES - 1)
    end()
    look(0)
    expect([trims, jest.getTimerCount()]).toEqual([0, 0])
  })
})
