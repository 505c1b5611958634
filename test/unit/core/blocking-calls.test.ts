import { setTimeout as delay } from 'node:timers/promises'
import { BlockingCalls, CallBudget } from '../../../src/core/blocking-calls.js'
import { type Deferred, deferred } from '../../../src/core/deferred.js'
import { NAME_LOOKUPS_EACH, NAME_LOOKUPS_MAX, THREADS_FOR_FILES_EACH } from '../../../src/core/limits.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const THREADS = 32

/** Calls that end when they are told to. */
class Work {
  running = 0
  most = 0
  readonly #ends: Deferred<void>[] = []

  readonly call = async (): Promise<void> => {
    this.running += 1
    this.most = Math.max(this.most, this.running)
    const end = deferred<void>()
    this.#ends.push(end)
    await end.promise
    this.running -= 1
  }

  endOne(): void {
    this.#ends.shift()?.resolve()
  }

  async endAll(): Promise<void> {
    for (; this.running > 0; await delay(0)) this.endOne()
  }
}

describe('calls that wait', () => {
  const directory = temporaryDirectory()
  let budget: CallBudget
  const file = (calls: BlockingCalls, work: Work): Promise<void> => calls.file(directory(), work.call)

  beforeEach(() => {
    budget = new CallBudget(THREADS)
  })

  it('of one connection are few at a time, and are all done', async () => {
    const calls = new BlockingCalls(budget)
    const work = new Work()
    const done = Promise.all(Array.from({ length: 50 }, () => file(calls, work)))
    expect([work.running, budget.taken]).toEqual([THREADS_FOR_FILES_EACH, THREADS_FOR_FILES_EACH])
    await work.endAll()
    await done
    expect([work.most, budget.taken]).toEqual([THREADS_FOR_FILES_EACH, 0])
  })

  it('of many connections leave some threads, and each gets its turn', async () => {
    const connections = Array.from({ length: 40 }, () => ({
      calls: new BlockingCalls(budget),
      work: new Work(),
    }))
    const done = connections.flatMap(({ calls, work }) => [file(calls, work), file(calls, work)])
    const running = (): number => connections.reduce((sum, { work }) => sum + work.running, 0)
    // Of one file system, half of the threads that there are for files.
    expect(running()).toBe(10)
    for (let turn = 0; turn < 2 * connections.length; turn++) {
      connections.find(({ work }) => work.running > 0)?.work.endOne()
      await delay(0)
    }
    await Promise.all(done)
    expect(connections.every(({ work }) => work.most > 0)).toBe(true)
  })

  it('of one file system leave threads for others', async () => {
    const works = { here: new Work(), proc: new Work() }
    const forty = (path: string, { call }: Work): Promise<void>[] =>
      Array.from({ length: 40 }, () => new BlockingCalls(budget).file(path, call))
    const done = [...forty(directory(), works.here), ...forty('/proc/self', works.proc)]
    expect([works.here.running, works.proc.running]).toEqual([10, 10])
    await Promise.all([works.here.endAll(), works.proc.endAll()])
    await Promise.all(done)
  })

  it('and take long keep their connection to one more at a time, and are waited for where the file system answers', async () => {
    budget = new CallBudget(THREADS, { slowMs: 50, giveUpMs: 1_500 })
    const [slow, others, elsewhere] = [new Work(), new Work(), new Work()]
    const calls = new BlockingCalls(budget)
    const waiting = file(calls, slow)
    await delay(3_000)
    const done = Promise.all(Array.from({ length: 5 }, () => file(calls, others)))
    const bystander = new BlockingCalls(budget)
    const doneElsewhere = Promise.all(Array.from({ length: 5 }, () => file(bystander, elsewhere)))
    expect([others.running, elsewhere.running]).toEqual([1, THREADS_FOR_FILES_EACH])
    await others.endAll()
    await elsewhere.endAll()
    await Promise.all([done, doneElsewhere])
    expect(slow.running).toBe(1)
    slow.endOne()
    await waiting
  })

  it('give what they give, and throw what they throw', async () => {
    const calls = new BlockingCalls(budget)
    expect(await calls.file(directory(), async () => 7)).toBe(7)
    const failing = calls.file(directory(), () => Promise.reject(new RangeError('no')))
    await expect(failing).rejects.toThrow(new RangeError('no'))
    const throwing = calls.file(directory(), () => {
      throw new RangeError('at once')
    })
    await expect(throwing).rejects.toThrow('at once')
    expect(budget.taken).toBe(0)
  })

  it('for names are few at a time, and those that have not begun can be taken back', async () => {
    const connections = Array.from({ length: 3 }, () => ({
      calls: new BlockingCalls(budget),
      work: new Work(),
    }))
    const gone = new AbortController()
    const done = connections.flatMap(({ calls, work }) =>
      Array.from({ length: 3 }, () => calls.name(work.call, gone.signal).catch(() => 'taken back')),
    )
    expect(connections.map(({ work }) => work.running)).toEqual([
      NAME_LOOKUPS_EACH,
      NAME_LOOKUPS_MAX - NAME_LOOKUPS_EACH,
      0,
    ])
    gone.abort()
    for (const { work } of connections) await work.endAll()
    const ends = await Promise.all(done)
    expect(ends.filter((end) => end === 'taken back')).toHaveLength(9 - NAME_LOOKUPS_MAX)
    expect(budget.taken).toBe(0)
    await expect(connections[0]?.calls.name(async () => 1, AbortSignal.abort())).rejects.toMatchObject({
      code: 'aborted',
    })
  })

  it('of four threads leave one for names, and one of them for questions', async () => {
    const work = new Work()
    const few = new CallBudget(4)
    const done = Array.from({ length: 10 }, () => new BlockingCalls(few).file(directory(), work.call))
    expect(work.running).toBe(2)
    await work.endAll()
    await Promise.all(done)
  })
})
