import { describeEnd, infersCore } from '../../../src/job/ends.js'
import { runIn, startIn, testJob } from '../../helpers/job-session.js'

describe('the end of a process', () => {
  it('is its code, or its signal by the name that SSH has for it', () => {
    expect(describeEnd(3, null)).toEqual({ exitCode: 3 })
    expect(describeEnd(null, 'SIGKILL')).toEqual({ signal: 'KILL', coreDumped: false })
  })

  it('is told of a command that a signal ends', async () => {
    expect((await runIn(testJob(), 'kill -USR1 $$')).end).toEqual({ signal: 'USR1', coreDumped: false })
  })

  it('may have left a core, by the signal, the limit and the pattern', () => {
    expect(infersCore('SEGV', 'core', 'unlimited')).toBe(true)
    expect(infersCore('SEGV', 'core', '0')).toBe(false)
    expect(infersCore('SEGV', '|/usr/lib/collect %p', '0')).toBe(true)
    expect(infersCore('SEGV', '|/usr/lib/collect %p', '1')).toBe(false)
    expect(infersCore('SEGV', '', 'unlimited')).toBe(false)
    expect(infersCore('TERM', 'core', 'unlimited')).toBe(false)
  })
})

describe('a signal', () => {
  it('reaches the process group of the command', async () => {
    const session = startIn(testJob(), 'trap "exit 9" USR2; echo ready; while :; do sleep 0.02; done')
    await new Promise((resolve) => session.stdout.once('data', resolve))
    expect(session.signal('USR2')).toBe(true)
    expect(await session.ended).toEqual({ exitCode: 9 })
  })

  it('of an unknown name, or after the end, is not sent', async () => {
    const session = startIn(testJob(), 'read go')
    for (const name of ['', 'NONE', 'constructor', 'SIGTERM', 'term'])
      expect(session.signal(name)).toBe(false)
    session.stdin.end()
    await session.ended
    expect(session.signal('TERM')).toBe(false)
    expect(session.sendBreak()).toBe(false)
  })
})
