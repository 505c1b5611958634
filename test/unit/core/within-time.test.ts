import { deferred } from '../../../src/core/deferred.js'
import { waitNoLonger, withinTime } from '../../../src/core/within-time.js'
import { failOnUncaught } from '../../helpers/fail-on-uncaught.js'

failOnUncaught()

const LONG_MS = 2 ** 31 - 1
/** The timers that keep this process alive. */
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

describe('work that may take so long', () => {
  it('gives what it comes to, or fails with, and leaves no timer', async () => {
    const before = timers()
    const work = deferred<string>()
    const waiting = withinTime(work.promise, LONG_MS, () => 'late')
    expect(timers()).toBe(before + 1)
    work.resolve('done')
    await expect(waiting).resolves.toBe('done')
    await expect(withinTime(Promise.reject(new Error('failed')), LONG_MS, waitNoLonger)).rejects.toThrow(
      'failed',
    )
    expect(timers()).toBe(before)
  })

  it('is given up after that, and may fail later', async () => {
    const work = deferred<string>()
    await expect(withinTime(work.promise, 1, () => 'late')).resolves.toBe('late')
    await expect(withinTime(work.promise, 1, waitNoLonger)).resolves.toBeUndefined()
    const fail = (): never => {
      throw new Error('nobody answers')
    }
    await expect(withinTime(work.promise, 1, fail)).rejects.toThrow('nobody answers')
    work.reject(new Error('failed late'))
  })

  it('is not late where only we are: what was done while we were kept counts', async () => {
    const work = deferred<string>()
    const waiting = withinTime(work.promise, 1, () => 'late')
    // Due right after the timer, in the same turn of the event loop.
    setTimeout(() => work.resolve('done'), 1)
    for (const until = Date.now() + 20; Date.now() < until; );
    await expect(waiting).resolves.toBe('done')
  })
})
