import { type ErrorCode, SshjobError } from '../../../src/core/errors.js'
import { HELLO_KEYS_MAX } from '../../../src/core/limits.js'
import { validateClientHello, validateServerHello } from '../../../src/hello/validate.js'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0='
const job = { id: 'a', host: 'b', pids: [1], user: 'c', since: '2024-05-01', command: ['d'] }
const refusal = { ok: false, code: 'busy', message: 'No.', retry: true }

function complaint(check: () => unknown): string {
  try {
    check()
  } catch (error) {
    if (!(error instanceof SshjobError)) throw error
    expect(error.code).toBe('hello-invalid')
    return error.message
  }
  throw new Error('it was taken')
}
const wrong = (name: string): string => `The other side's hello is not valid: '${name}' is missing or wrong.`

describe("a client's hello", () => {
  it.each([
    {},
    { publicKey: KEY },
    { publicKey: 'rsa AA' },
    { publicKey: 'a@b.c-1 AA==' },
    { capability: 'x' },
    { publicKey: KEY, capability: '' },
    { publicKey: KEY, morePublicKeys: [] },
    { publicKey: KEY, morePublicKeys: Array<string>(HELLO_KEYS_MAX).fill(KEY) },
  ])('may be %j', (hello) => {
    expect(validateClientHello(hello)).toEqual(hello)
  })

  it.each([
    ['hello', undefined],
    ['hello', null],
    ['hello', []],
    ['hello', 'text'],
    ['hello', 7],
    ['publicKey', { publicKey: 7 }],
    ['publicKey', { publicKey: null }],
    ['publicKey', { publicKey: `${KEY}\n${KEY}` }],
    ['publicKey', { publicKey: ` ${KEY}` }],
    ['publicKey', { publicKey: 'ssh-ed25519 ' }],
    ['publicKey', { publicKey: 'SSH-ED25519 AAAA' }],
    ['publicKey', { publicKey: 'ssh-ed25519 AAAA===' }],
    ['publicKey', { publicKey: `ssh-ed25519 ${'A'.repeat(8_193)}` }],
    ['publicKey', { publicKey: `${'a'.repeat(65)} AAAA` }],
    ['morePublicKeys', { morePublicKeys: KEY }],
    ['morePublicKeys', { morePublicKeys: null }],
    ['morePublicKeys', { morePublicKeys: [KEY, 7] }],
    ['morePublicKeys', { morePublicKeys: [KEY, 'x'] }],
    ['morePublicKeys', { morePublicKeys: Array<string>(HELLO_KEYS_MAX + 1).fill(KEY) }],
    ['capability', { capability: 7 }],
    ['capability', { capability: null }],
  ])('is refused for its %s: %j', (name, hello) => {
    expect(complaint(() => validateClientHello(hello))).toBe(wrong(name))
  })

  it('has the fields that are its own, and no others', () => {
    const inherited: unknown = Object.create({ publicKey: KEY, capability: 'x' })
    expect(validateClientHello(inherited)).toEqual({})
  })
})

describe("a server's hello", () => {
  it.each([
    { ok: true, job },
    { ok: true, job, hostKey: KEY },
    { ok: true, job, hostKey: KEY, moreHostKeys: Array<string>(HELLO_KEYS_MAX).fill(KEY) },
    { ...refusal, retry: false },
  ])('may be %j', (hello) => {
    expect(validateServerHello({ ...hello, more: 'x' })).toEqual(hello)
  })

  it.each([
    ['hello', []],
    ['ok', { job }],
    ['ok', { ok: 'true', job }],
    ['job', { ok: true }],
    ['job', { ok: true, job: null }],
    ['job', { ok: true, job: [] }],
    ['hostKey', { ok: true, job, hostKey: 'x' }],
    ['hostKey', { ok: true, job, hostKey: null }],
    ['moreHostKeys', { ok: true, job, moreHostKeys: KEY }],
    ['moreHostKeys', { ok: true, job, moreHostKeys: ['x'] }],
    ['moreHostKeys', { ok: true, job, moreHostKeys: Array<string>(HELLO_KEYS_MAX + 1).fill(KEY) }],
    ['code', { ...refusal, code: 7 }],
    ['message', { ...refusal, message: undefined }],
    ['retry', { ...refusal, retry: 1 }],
    ['retry', { ...refusal, retry: 'yes' }],
  ])('is refused for its %s: %j', (name, hello) => {
    expect(complaint(() => validateServerHello(hello))).toBe(wrong(name))
  })

  it.each([
    ['job.id', { id: 7 }],
    ['job.host', { host: null }],
    ['job.user', { user: undefined }],
    ['job.since', { since: 7 }],
    ['job.since', { since: 'soon' }],
    ['job.pids', { pids: 1 }],
    ['job.pids', { pids: ['1'] }],
    ['job.pids', { pids: [1.5] }],
    ['job.pids', { pids: [-1] }],
    ['job.pids', { pids: [2 ** 53] }],
    ['job.command', { command: 'd' }],
    ['job.command', { command: ['d', 7] }],
  ])('is refused for its %s: %j', (name, change) => {
    expect(complaint(() => validateServerHello({ ok: true, job: { ...job, ...change } }))).toBe(wrong(name))
  })

  it('may have no pids, or one that is 0', () => {
    for (const pids of [[], [0], [2 ** 53 - 1]])
      expect(validateServerHello({ ok: true, job: { ...job, pids } })).toMatchObject({ job: { pids } })
  })

  // Of errors.ts, where each is explained; a newer server may have others.
  it.each<ErrorCode>([
    ...(['usage', 'job-not-found', 'job-not-started', 'job-held', 'job-ended', 'job-exists'] as const),
    ...([
      'unreachable',
      'busy',
      'denied',
      'hello-invalid',
      'hello-timeout',
      'authentication-failed',
    ] as const),
    ...(['protocol-error', 'connection-lost', 'idle-timeout', 'no-terminal', 'aborted', 'internal'] as const),
  ])('brings the code %s', (code) => {
    expect(validateServerHello({ ...refusal, code })).toEqual({ ...refusal, code })
  })

  it.each(['from-the-future', 'toString', '__proto__', ''])('takes the code %j for a denial', (code) => {
    expect(validateServerHello({ ...refusal, code })).toEqual({ ...refusal, code: 'denied' })
  })

  it('has nothing that is not text in what people read', () => {
    const text = 'a\tb\nc\rd\u001b[31m\u0085e\u2028f\u2029g\u202ah\u202ei\u2066j\u2069k'
    const plain = 'a b c d?[31m?e?f?g?h?i?j?k'
    expect(validateServerHello({ ...refusal, message: text })).toEqual({ ...refusal, message: plain })
    const all = { ...job, id: text, host: text, user: text, command: [text, text] }
    const printable = { ...job, id: plain, host: plain, user: plain, command: [plain, plain] }
    expect(validateServerHello({ ok: true, job: all })).toEqual({ ok: true, job: printable })
  })
})
