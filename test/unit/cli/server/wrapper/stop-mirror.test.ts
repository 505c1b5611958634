import { constants } from 'node:os'
import { StopMirror } from '../../../../../src/cli/server/wrapper/stop-mirror.js'
import { STOP_LOOK_MS, STOP_SETTLE_MS } from '../../../../../src/core/limits.js'

const { SIGSTOP, SIGTERM, SIGTSTP } = constants.signals
const LONG_MS = STOP_LOOK_MS + STOP_SETTLE_MS

/** Both processes, and what is done to them. */
function start() {
  const state = { job: false, wrapper: false, undecided: false }
  const done: string[] = []
  const mirror = new StopMirror({
    isJobStopped: () => state.job,
    isWrapperStopped: () => state.wrapper,
    isUndecided: () => state.undecided,
    stopJob() {
      done.push('stop job')
      state.job = true
    },
    stopWrapper(signal) {
      done.push(`stop wrapper by ${signal}`)
      state.wrapper = true
    },
    continueWrapper() {
      done.push('continue wrapper')
      state.wrapper = false
    },
  })
  return { mirror, state, done, pass: (ms: number) => jest.advanceTimersByTime(ms) }
}

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

describe('the wrapper', () => {
  it('is stopped as the job was, by the terminal or by itself', () => {
    for (const [signal, expected] of [
      [SIGTSTP, SIGTSTP],
      [SIGTERM, SIGSTOP],
    ] as const) {
      const { mirror, state, done, pass } = start()
      mirror.signalled(signal)
      state.job = true
      mirror.look()
      pass(STOP_SETTLE_MS)
      expect(done).toEqual([`stop wrapper by ${expected}`])
      pass(LONG_MS)
      expect(done).toHaveLength(1)
      mirror.end()
    }
  })

  it('is not stopped by what stopped the job long ago', () => {
    const { mirror, state, done, pass } = start()
    mirror.signalled(SIGTSTP)
    pass(LONG_MS)
    state.job = true
    mirror.look()
    pass(STOP_SETTLE_MS)
    expect(done).toEqual([`stop wrapper by ${SIGSTOP}`])
    mirror.end()
  })

  it('goes on when the job does', () => {
    const { mirror, state, done, pass } = start()
    state.job = true
    mirror.look()
    pass(STOP_SETTLE_MS)
    state.job = false
    mirror.look()
    pass(STOP_SETTLE_MS)
    expect(done).toEqual([`stop wrapper by ${SIGSTOP}`, 'continue wrapper'])
    mirror.wrapperContinued()
    pass(LONG_MS)
    expect(done).toHaveLength(2)
    mirror.end()
  })

  it('is stopped by SIGSTOP where the terminal’s signal does nothing, as without a shell above', () => {
    const { mirror, state, done, pass } = start()
    mirror.signalled(SIGTSTP)
    state.job = true
    mirror.look()
    pass(STOP_SETTLE_MS)
    state.wrapper = false
    mirror.wrapperContinued()
    pass(STOP_SETTLE_MS)
    expect(done).toEqual([`stop wrapper by ${SIGTSTP}`, `stop wrapper by ${SIGSTOP}`])
    mirror.end()
  })

  it('is left alone where they go on one after the other', () => {
    const { mirror, state, done, pass } = start()
    state.job = true
    mirror.look()
    pass(STOP_SETTLE_MS - 1)
    state.job = false
    pass(LONG_MS)
    state.undecided = true
    state.job = true
    pass(LONG_MS)
    expect(done).toEqual([])
    mirror.end()
  })

  it('goes on at the end of a job that was killed', () => {
    const { mirror, state, done } = start()
    state.wrapper = true
    mirror.end()
    expect(done).toEqual(['continue wrapper'])
  })
})

describe('the job', () => {
  it('is stopped when the wrapper alone was, and not continued by that', () => {
    const { mirror, state, done, pass } = start()
    state.wrapper = true
    pass(LONG_MS)
    expect(done).toEqual(['stop job'])
    state.wrapper = false
    state.undecided = true
    pass(LONG_MS)
    expect(done).toHaveLength(1)
    mirror.end()
  })
})
