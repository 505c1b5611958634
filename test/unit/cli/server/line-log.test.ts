import { readFileSync } from 'node:fs'
import { formatEvent, lineLog } from '../../../../src/cli/server/line-log.js'
import { SshjobError } from '../../../../src/core/errors.js'

const NOW = new Date(2026, 0, 31, 14, 5, 9)

describe('a line of the log', () => {
  it.each<[object, string, string]>([
    [{ job: 'train', socket: '/run/x' }, 'job started', 'job started job=train socket=/run/x'],
    [{ pid: 7, terminal: false, exitCode: undefined }, 'session ended', 'session ended pid=7 terminal=false'],
    [{ cause: 'The other side has gone.' }, 'ended', 'ended cause="The other side has gone."'],
    [{ name: '', odd: 'a=b', list: [1, 'x'] }, 'odd', 'odd name="" odd="a=b" list=[1,"x"]'],
    [{ reason: 'it is too large', file: '/k' }, 'not used', 'not used: it is too large file=/k'],
    [
      { err: new SshjobError('no-shell', 'No shell can be run.') },
      'no session',
      'no session: No shell can be run.',
    ],
  ])('%j, %j', (fields, message, line) => {
    expect(formatEvent(fields, message)).toBe(line)
  })

  it('has the kernel’s sentence of a system error, and no stack', () => {
    let error: unknown
    try {
      readFileSync('/no/such')
    } catch (thrown) {
      error = thrown
    }
    expect(formatEvent({ err: error }, 'failed')).toBe('failed: no such file or directory (ENOENT)')
  })

  it('says of a mistake of ours where it was made', () => {
    const line = formatEvent({ err: new TypeError('x is not a function') }, 'a mistake')
    expect(line).toMatch(/^a mistake: x is not a function at="[^"\n]*line-log\.test\.ts:\d+:\d+\)?"$/)
  })

  it('is one line, whatever a client or a job says in it, and drives no terminal', () => {
    const evil = 'root\n2026-01-31 sshjob-server info: all is well\u001b[2J\u009b2J\u202egnp\u2028'
    const line = formatEvent({ user: evil, reason: evil, [evil]: 1 }, evil)
    expect(line).not.toMatch(/[\p{Cc}\u2028\u202e]/u)
    expect(formatEvent({ user: evil }, 'authenticated')).toBe(
      'authenticated user="root\\n2026-01-31 sshjob-server info: all is well\\u001b[2J?2J?gnp?"',
    )
  })
})

describe('a log for people', () => {
  function say(level: string): string[] {
    const lines: string[] = []
    const log = lineLog(
      level,
      (line) => lines.push(line),
      () => NOW,
    )
    log.debug({}, 'd')
    log.info({}, 'i')
    log.warn({}, 'w')
    log.error({}, 'e')
    return lines
  }

  it.each([
    ['silent', []],
    ['fatal', []],
    ['error', ['error: e']],
    ['warn', ['warning: w', 'error: e']],
    ['info', ['info: i', 'warning: w', 'error: e']],
    ['debug', ['debug: d', 'info: i', 'warning: w', 'error: e']],
    ['trace', ['debug: d', 'info: i', 'warning: w', 'error: e']],
  ])('of level %s has %j', (level, said) => {
    expect(say(level)).toEqual(said.map((text) => `2026-01-31 14:05:09 sshjob-server ${text}\n`))
  })
})
