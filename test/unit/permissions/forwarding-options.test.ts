import { SshjobError } from '../../../src/core/errors.js'
import { type ForwardingOptions, starterPermissions } from '../../../src/permissions/forwarding-options.js'
import type { Grants } from '../../../src/permissions/permissions.js'
import { refusalOf } from '../../../src/permissions/refusal.js'

const NO = (what: string): string => `the job's starter does not permit ${what}`

/** What a client is told, of each thing that it may ask for. */
function makePolicy(options: ForwardingOptions) {
  // As it is after a way through JSON.
  const grants: Grants = [JSON.parse(JSON.stringify(starterPermissions(options)))]
  return {
    open: (host: string, port: number) => refusalOf(grants, { kind: 'open', host, port }),
    listen: (host: string, port: number) => refusalOf(grants, { kind: 'listen', host, port }),
    openUnix: (path: string) => refusalOf(grants, { kind: 'openUnix', path }),
    listenUnix: (path: string) => refusalOf(grants, { kind: 'listenUnix', path }),
    agent: () => refusalOf(grants, { kind: 'agent' }),
    x11: () => refusalOf(grants, { kind: 'x11' }),
  }
}

describe('the forwardings that a starter permits', () => {
  it('permits all where nothing is said: whoever has a session may connect anyhow', () => {
    const policy = makePolicy({})
    expect(policy.open('example.org', 80)).toBeUndefined()
    expect(policy.openUnix('/a')).toBeUndefined()
    expect(policy.listen('', 0)).toBeUndefined()
    expect(policy.listenUnix('/a')).toBeUndefined()
    expect(policy.agent()).toBeUndefined()
    expect(policy.x11()).toBeUndefined()
  })

  it.each<[NonNullable<ForwardingOptions['forwarding']>, boolean, boolean, boolean]>([
    ['all', true, true, true],
    ['local', true, false, true],
    ['remote', false, true, true],
    ['none', false, false, false],
  ])('%s', (forwarding, local, remote, session) => {
    const policy = makePolicy({ forwarding })
    expect([policy.open('a', 1), policy.openUnix('/a')].map((no) => no === undefined)).toEqual([local, local])
    expect([policy.listen('a', 1), policy.listenUnix('/a')].map((no) => no === undefined)).toEqual([
      remote,
      remote,
    ])
    expect(policy.agent() === undefined).toBe(session)
    expect(policy.x11() === undefined).toBe(session)
    if (!session) expect(policy.x11()).toBe("the job's starter allows no X11 forwarding")
    if (!local) expect(policy.open('a', 1)).toBe("the job's starter allows no local forwarding")
  })

  it('compares hosts, ports and paths with the list, and permits nothing else', () => {
    const policy = makePolicy({ permitOpen: ['localhost:80', '[::1]:81', '*:82', 'db:*', '/run/app.sock'] })
    expect(policy.open('localhost', 80)).toBeUndefined()
    expect(policy.open('LocalHost', 80)).toBeUndefined()
    expect(policy.open('::1', 81)).toBeUndefined()
    expect(policy.open('anything', 82)).toBeUndefined()
    expect(policy.open('db', 5432)).toBeUndefined()
    expect(policy.openUnix('/run/app.sock')).toBeUndefined()
    expect(policy.open('localhost', 81)).toBe(NO('localhost:81'))
    expect(policy.open('127.0.0.1', 80)).toBe(NO('127.0.0.1:80'))
    expect(policy.open('::1', 80)).toBe(NO('[::1]:80'))
    expect(policy.openUnix('/run/other.sock')).toBe(NO('/run/other.sock'))
    expect(policy.listen('', 80)).toBeUndefined()
    expect(makePolicy({ permitOpen: [] }).open('localhost', 80)).toBe(NO('localhost:80'))
  })

  it('takes hosts as patterns', () => {
    const policy = makePolicy({ permitOpen: ['*.example.org:80', 'node?:22'] })
    expect(policy.open('a.Example.org', 80)).toBeUndefined()
    expect(policy.open('node7', 22)).toBeUndefined()
    expect(policy.open('example.org', 80)).toBe(NO('example.org:80'))
    expect(policy.open('node77', 22)).toBe(NO('node77:22'))
  })

  it('takes a port alone for a listener', () => {
    const policy = makePolicy({ permitListen: ['8080', 'localhost:0', '/run/app.sock'] })
    expect(policy.listen('', 8080)).toBeUndefined()
    expect(policy.listen('0.0.0.0', 8080)).toBeUndefined()
    expect(policy.listen('localhost', 0)).toBeUndefined()
    expect(policy.listenUnix('/run/app.sock')).toBeUndefined()
    expect(policy.listen('', 8081)).toBe(NO(':8081'))
    expect(policy.listenUnix('/run/b')).toBe(NO('/run/b'))
  })

  it('has the highest port as well', () => {
    expect(makePolicy({ permitOpen: ['a:65535'] }).open('a', 65_535)).toBeUndefined()
  })

  it('does not take the path of a socket for a host, nor a host for a path', () => {
    const policy = makePolicy({ permitOpen: ['*:*'], permitListen: ['/a'] })
    expect(policy.openUnix('/a')).toBe(NO('/a'))
    expect(policy.listen('/a', 1)).toBe(NO('/a:1'))
  })

  const BROKEN = [
    '',
    'localhost',
    'a:b',
    'a:99999',
    'a:65536',
    ':80',
    '::1:80',
    'a:-1',
    'a:80x',
    'a:80:',
    '[::1]80',
  ]
  it.each([...BROKEN, '80', '*'])('refuses %j as a list', (text) => {
    const error = failure(() => makePolicy({ permitOpen: [text] }))
    expect(error.code).toBe('usage')
    expect(error.message).toBe(`'${text}' permits nothing: write HOST:PORT or the path of a socket.`)
  })

  it.each([...BROKEN, 'x80', '80x', '-1', '65536'])(
    'refuses %j as a list of what may be listened on',
    (text) => {
      const error = failure(() => makePolicy({ permitListen: [text] }))
      expect(error.code).toBe('usage')
      expect(error.message).toBe(
        `'${text}' permits nothing: write PORT or HOST:PORT or the path of a socket.`,
      )
    },
  )
})

function failure(work: () => unknown): SshjobError {
  try {
    work()
  } catch (error) {
    if (error instanceof SshjobError) return error
  }
  throw new Error('it was not refused')
}
