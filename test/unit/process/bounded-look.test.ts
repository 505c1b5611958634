import { PATH_LOOK_TIMEOUT_MS } from '../../../src/core/limits.js'
import { lookAt } from '../../../src/process/bounded-look.js'

const answers = new Map<string, (holds: boolean) => void>()
let begun: string[] = []

/** A look that lasts until the test answers. */
const look = (path: string): Promise<boolean> => {
  begun.push(path)
  return new Promise((resolve) => answers.set(path, resolve))
}

/** As a file system that answers again. */
async function answer(path: string, holds = true): Promise<void> {
  answers.get(path)?.(holds)
  answers.delete(path)
  await Promise.resolve()
}

beforeEach(() => {
  begun = []
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
})
afterEach(async () => {
  jest.useRealTimers()
  for (const path of answers.keys()) await answer(path)
  await new Promise((resolve) => setImmediate(resolve))
})

describe('a look at a path', () => {
  it('says what holds, and that a failure does not', async () => {
    expect(await lookAt('/a', async () => true)).toBe('yes')
    expect(await lookAt('/a', async () => false)).toBe('no')
    expect(await lookAt('/a', () => Promise.reject(new Error('EACCES')))).toBe('no')
    expect(jest.getTimerCount()).toBe(0)
  })

  it('is one for all who ask, and for the time that it has left', async () => {
    const first = lookAt('/dead', look)
    jest.advanceTimersByTime(PATH_LOOK_TIMEOUT_MS - 1)
    const second = lookAt('/dead', look)
    jest.advanceTimersByTime(1)
    expect(await Promise.all([first, second])).toEqual(['silent', 'silent'])
    expect(await lookAt('/dead', look)).toBe('silent')
    expect(begun).toEqual(['/dead'])
    await answer('/dead')
    await new Promise((resolve) => setImmediate(resolve))
    const anew = lookAt('/dead', look)
    await answer('/dead')
    expect(await anew).toBe('yes')
    expect(begun).toEqual(['/dead', '/dead'])
  })

  it('is not begun while half of the threads wait for others', async () => {
    const dead = [lookAt('/one', look), lookAt('/two', look)]
    // They may still answer.
    const third = lookAt('/three', async () => true)
    expect(await third).toBe('yes')
    jest.advanceTimersByTime(PATH_LOOK_TIMEOUT_MS)
    expect(await Promise.all(dead)).toEqual(['silent', 'silent'])
    expect(await lookAt('/three', look)).toBe('silent')
    expect(begun).toEqual(['/one', '/two'])
    await answer('/two', false)
    await new Promise((resolve) => setImmediate(resolve))
    expect(await lookAt('/three', async () => true)).toBe('yes')
  })
})
