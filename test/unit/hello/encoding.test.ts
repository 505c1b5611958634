import { SshjobError } from '../../../src/core/errors.js'
import { HELLO_MAX_BYTES, HELLO_PIDS, HELLO_TEXT_CHARACTERS } from '../../../src/core/limits.js'
import { checkStart, decodeHello, encodeClientHello, encodeServerHello } from '../../../src/hello/encoding.js'
import type { JobInfo } from '../../../src/hello/messages.js'

const job: JobInfo = { id: 'a', host: 'b', pids: [1], user: 'c', since: '2024-05-01', command: [] }

function failure(work: () => unknown): SshjobError {
  try {
    work()
  } catch (error) {
    if (error instanceof SshjobError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('the start of what arrives', () => {
  const check = (text: string) => () => checkStart(Buffer.from(text), 'This is something else.')

  it.each(['', 's', 'sshjob-hell', 'sshjob-hello/', 'sshjob-hello/1 {}', 'S', 'SS', 'SSH'])(
    'can become a hello, or SSH: %j',
    (text) => {
      expect(check(text)).not.toThrow()
    },
  )

  it.each(['x', 'sshjob-hello ', 'ssx', 'SX', 'SSX', 'SSH-', 'SSH-2.0', 'SSHjob-hello/'])(
    'can become neither: %j',
    (text) => {
      expect(failure(check(text))).toMatchObject({
        code: 'hello-invalid',
        message: 'This is something else.',
      })
    },
  )
})

describe('a line', () => {
  const decode = (text: string | Buffer) => failure(() => decodeHello(Buffer.from(text)))
  const NO_VERSION = "The other side's hello is not valid: it names no version."

  it('gives the value in it', () => {
    expect(decodeHello(Buffer.from('sshjob-hello/1 {"a":[1, "é"]}'))).toEqual({ a: [1, 'é'] })
    expect(decodeHello(Buffer.from('sshjob-hello/01 {}'))).toEqual({})
  })

  it.each([
    'sshjob-hello/x1 {}',
    'sshjob-hello/1x {}',
    'sshjob-hello/ {}',
    'sshjob-hello/1',
    'hello/1 {}',
    '',
  ])('names no version: %j', (text) => {
    expect(decode(text)).toMatchObject({ code: 'hello-invalid', message: NO_VERSION })
  })

  it('is of this version', () => {
    expect(decode('sshjob-hello/10 {}').message).toBe(
      'The other side speaks version 10 of the hello and this one version 1: use the same release of sshjob on both.',
    )
    expect(decode(`sshjob-hello/${'1'.repeat(10)} {}`).message).toBe(NO_VERSION)
  })

  it('is JSON, and what is none is not repeated to whoever reads the message', () => {
    const error = decode('sshjob-hello/1 {"a":\u001b[31m}')
    expect(error.message).toBe("The other side's hello is not valid JSON.")
    expect(error.cause).toMatchObject({ name: 'SyntaxError' })
  })

  it('is UTF-8', () => {
    const error = decode(Buffer.from('sshjob-hello/1 {"a":"\xff"}', 'latin1'))
    expect(error.message).toBe("The other side's hello is not valid UTF-8.")
    expect(error.cause).toMatchObject({ name: 'TypeError' })
  })
})

describe("a client's line", () => {
  const empty = encodeClientHello({ capability: '' }).length

  it('may be as long as it may be, and no longer', () => {
    const longest = encodeClientHello({ capability: 'c'.repeat(HELLO_MAX_BYTES - empty) })
    expect(longest).toHaveLength(HELLO_MAX_BYTES)
    const more = { capability: 'c'.repeat(HELLO_MAX_BYTES - empty + 1) }
    expect(failure(() => encodeClientHello(more))).toMatchObject({
      code: 'usage',
      message: `The hello would be ${HELLO_MAX_BYTES + 1} bytes, and may be ${HELLO_MAX_BYTES}.`,
    })
  })
})

describe("a server's line", () => {
  const encode = (info: JobInfo): { line: Buffer; sent: JobInfo } => {
    const line = encodeServerHello({ ok: true, job: info })
    const { job: sent } = JSON.parse(line.toString().slice('sshjob-hello/1 '.length))
    return { line, sent }
  }
  const { length } = encode({ ...job, command: [''] }).line

  it('is left as it is up to the longest that it may be', () => {
    const command = ['x'.repeat(HELLO_MAX_BYTES - length)]
    const { line, sent } = encode({ ...job, command })
    expect(line).toHaveLength(HELLO_MAX_BYTES)
    expect(sent.command).toEqual(command)
  })

  it('has a command and pids that are cut where it would be longer', () => {
    const pids = Array.from({ length: HELLO_PIDS + 1 }, (_, pid) => pid)
    const long = 'x'.repeat(HELLO_MAX_BYTES)
    const { sent } = encode({ ...job, pids, command: ['ab', long, 'end'] })
    expect(sent.pids).toEqual(pids.slice(0, HELLO_PIDS))
    // Two quotes and a comma count for each word as well.
    expect(sent.command).toEqual(['ab', `${'x'.repeat(HELLO_TEXT_CHARACTERS - 5)}...`])
  })

  it('has words that fit to the last character, and none behind them', () => {
    const fits = 'x'.repeat(HELLO_TEXT_CHARACTERS - 3)
    const rest = 'y'.repeat(HELLO_MAX_BYTES)
    expect(encode({ ...job, command: [fits, rest] }).sent.command).toEqual([fits])
    const all = 'x'.repeat(HELLO_TEXT_CHARACTERS)
    expect(encode({ ...job, command: [all, rest] }).sent.command).toEqual([all])
    const room = 'x'.repeat(HELLO_TEXT_CHARACTERS - 4)
    expect(encode({ ...job, command: [room, rest] }).sent.command).toEqual([room, 'y...'])
  })

  it('has no more empty words than there is room for', () => {
    const { sent } = encode({ ...job, command: Array<string>(20_000).fill('') })
    expect(sent.command).toEqual(Array<string>(HELLO_TEXT_CHARACTERS / 3).fill(''))
  })
})
