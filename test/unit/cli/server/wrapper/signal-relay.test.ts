import { constants } from 'node:os'
import { SignalRelay } from '../../../../../src/cli/server/wrapper/signal-relay.js'
import {
  SIGNAL_GRACE_MS,
  SIGNAL_MEMORY_MS,
  SIGNAL_MERGE_MS,
  WAKE_MS,
} from '../../../../../src/core/limits.js'

const { SIGTERM, SIGUSR1, SIGCONT, SIGTSTP, SIGWINCH } = constants.signals
const SIGRTMIN = 34

/** A job, and what happens to it: reports of the wrapper, what the server hears, and time. */
function start({ stopped = false, isDrowsy = false } = {}) {
  const sent: number[] = []
  const job = { stopped }
  const relay = new SignalRelay({
    send: (signal) => void sent.push(signal),
    isStopped: () => job.stopped,
    isDrowsy,
  })
  return { relay, sent, job, pass: (ms: number) => jest.advanceTimersByTime(ms) }
}

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

describe('a signal', () => {
  it('that only the wrapper has got is handed on, once', () => {
    const { relay, sent, pass } = start()
    relay.reported(SIGTERM)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGTERM])
    pass(10_000)
    expect(sent).toEqual([SIGTERM])
  })

  it.each([
    ['first', (relay: SignalRelay) => relay.heard(SIGTERM), (relay: SignalRelay) => relay.reported(SIGTERM)],
    ['last', (relay: SignalRelay) => relay.reported(SIGTERM), (relay: SignalRelay) => relay.heard(SIGTERM)],
  ])('that both have got, the server %s, the job has', (_order, one, other) => {
    const { relay, sent, pass } = start()
    one(relay)
    pass(SIGNAL_GRACE_MS - 1)
    other(relay)
    pass(10_000)
    expect(sent).toEqual([])
  })

  it('that only the server has got is nobody’s business, and says nothing of the next', () => {
    const { relay, sent, pass } = start()
    relay.heard(SIGTERM)
    pass(SIGNAL_MEMORY_MS)
    expect(sent).toEqual([])
    relay.reported(SIGTERM)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGTERM])
  })

  it('that both have got, which a busy machine lets the wrapper report late, the job has', () => {
    for (const signal of [SIGTERM, SIGRTMIN, SIGCONT]) {
      const { relay, sent, pass } = start()
      relay.heard(signal)
      pass(SIGNAL_MEMORY_MS - 1)
      relay.reported(signal)
      pass(10_000)
      expect(sent).toEqual([])
    }
  })

  it('is not taken for another', () => {
    const { relay, sent, pass } = start()
    relay.heard(SIGUSR1)
    relay.reported(SIGTERM)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGTERM])
  })

  it('that came twice to the wrapper alone is handed on twice', () => {
    const { relay, sent, pass } = start()
    relay.reported(SIGTERM)
    pass(1)
    relay.reported(SIGTERM)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGTERM, SIGTERM])
  })

  it('that came to the wrapper and to the group, as timeout(1) sends it, the job has', () => {
    for (const events of ['RRH', 'RHR', 'HRR']) {
      const { relay, sent, pass } = start()
      for (const event of events) {
        if (event === 'R') relay.reported(SIGTERM)
        else relay.heard(SIGTERM)
        pass(SIGNAL_MERGE_MS / 3)
      }
      pass(10_000)
      expect([events, sent]).toEqual([events, []])
    }
  })

  it('that came to the wrapper some time after the group is handed on', () => {
    const { relay, sent, pass } = start()
    relay.heard(SIGTERM)
    relay.reported(SIGTERM)
    pass(SIGNAL_MERGE_MS)
    relay.reported(SIGTERM)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGTERM])
  })

  it('of real time is never merged: each one counts', () => {
    const { relay, sent, pass } = start()
    for (const _ of [1, 2]) relay.reported(SIGRTMIN)
    relay.heard(SIGRTMIN)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGRTMIN])
  })

  it('of real time that both have got several times the job has, whether the wrapper tells of all or of one', () => {
    const { relay, sent, pass } = start()
    for (const _ of [1, 2, 3]) relay.heard(SIGRTMIN)
    for (const _ of [1, 2, 3]) relay.reported(SIGRTMIN)
    for (const _ of [1, 2, 3]) relay.heard(SIGRTMIN)
    relay.reported(SIGRTMIN)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([])
    relay.reported(SIGRTMIN)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGRTMIN])
  })

  it('of a window, which a drowsy wrapper reports late, the job has', () => {
    const { relay, sent, pass } = start({ isDrowsy: true })
    relay.heard(SIGWINCH)
    pass(WAKE_MS)
    relay.reported(SIGWINCH)
    pass(10_000)
    expect(sent).toEqual([])
  })
})

describe('SIGCONT', () => {
  it('is forgotten when the next stop comes', () => {
    for (const event of ['reported', 'heard', 'woken'] as const) {
      const { relay, sent, pass } = start({ stopped: true })
      if (event === 'woken') relay.woken()
      else relay.reported(SIGCONT)
      relay[event === 'heard' ? 'heard' : 'reported'](SIGTSTP)
      relay[event === 'heard' ? 'reported' : 'heard'](SIGTSTP)
      expect(relay.continuing).toBe(false)
      pass(10_000)
      expect(sent).toEqual([])
    }
  })

  it('for the wrapper alone goes to the job, also to one that runs', () => {
    for (const stopped of [true, false]) {
      const { relay, sent, pass } = start({ stopped })
      relay.reported(SIGCONT)
      expect(relay.continuing).toBe(true)
      pass(SIGNAL_GRACE_MS)
      expect([sent, relay.continuing]).toEqual([[SIGCONT], false])
    }
  })

  it('goes to a job that stands still, where another was heard long before', () => {
    const { relay, sent, pass, job } = start()
    relay.heard(SIGCONT)
    pass(SIGNAL_GRACE_MS)
    job.stopped = true
    relay.reported(SIGCONT)
    pass(SIGNAL_GRACE_MS)
    expect(sent).toEqual([SIGCONT])
  })

  it('that the server has sent itself does not', () => {
    const { relay, sent, pass } = start()
    relay.expectContinue()
    relay.reported(SIGCONT)
    pass(10_000)
    expect(sent).toEqual([])
  })

  it('that had to wake the server goes to a job that stands still', () => {
    for (const stopped of [true, false]) {
      const { relay, sent, pass } = start({ stopped })
      relay.woken()
      relay.heard(SIGCONT)
      expect(relay.continuing).toBe(true)
      pass(SIGNAL_GRACE_MS)
      expect(sent).toEqual(stopped ? [SIGCONT] : [])
    }
  })
})
