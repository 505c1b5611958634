import { parseDynamic, parseForward, parseTarget } from '../../../../src/cli/forwarding/forward-specs.js'

describe('the argument of -L', () => {
  it.each([
    ['8080:localhost:80', { port: 8080 }, { host: 'localhost', port: 80 }],
    ['127.0.0.2:8080:db:5432', { host: '127.0.0.2', port: 8080 }, { host: 'db', port: 5432 }],
    ['[::1]:8080:[fe80::1]:80', { host: '::1', port: 8080 }, { host: 'fe80::1', port: 80 }],
    [':8080:localhost:80', { host: '0.0.0.0', port: 8080 }, { host: 'localhost', port: 80 }],
    ['*:8080:localhost:80', { host: '0.0.0.0', port: 8080 }, { host: 'localhost', port: 80 }],
    ['0:localhost:80', { port: 0 }, { host: 'localhost', port: 80 }],
    ['8080:/run/app.sock', { port: 8080 }, { path: '/run/app.sock' }],
    ['localhost:8080:/run/app.sock', { host: 'localhost', port: 8080 }, { path: '/run/app.sock' }],
    ['/tmp/a.sock:localhost:80', { path: '/tmp/a.sock' }, { host: 'localhost', port: 80 }],
    ['./a.sock:/run/app.sock', { path: './a.sock' }, { path: '/run/app.sock' }],
  ])('%s', (text, from, to) => {
    expect(parseForward('local', text)).toEqual({ kind: 'local', from, to })
  })

  it.each([
    '',
    '80',
    '80:80',
    'a:b:c:d:e',
    '1:2:3:4:5',
    '80:localhost:0',
    '80:localhost:65536',
    'x:localhost:80',
  ])('is not %j', (text) => {
    const message = `-L takes [BIND:]PORT:HOST:HOSTPORT, with the path of a socket for BIND:PORT or HOST:HOSTPORT, not '${text}'.`
    expect(() => parseForward('local', text)).toThrow(message)
  })
  it.each(['80::80', '::1:80:localhost:80', '/a:80:localhost:80', '80:localhost:', '[::1:80:localhost:80'])(
    'nor %j',
    (text) => {
      expect(() => parseForward('local', text)).toThrow('-L takes')
    },
  )
})

describe('the argument of -R', () => {
  it('leaves to the server what every address is', () => {
    const to = { host: 'localhost', port: 80 }
    expect(parseForward('remote', '*:0:localhost:80')).toEqual({
      kind: 'remote',
      from: { host: '', port: 0 },
      to,
    })
    expect(parseForward('remote', '/run/a:localhost:80')).toEqual({
      kind: 'remote',
      from: { path: '/run/a' },
      to,
    })
  })
})

describe('the argument of -R without a destination', () => {
  it.each([
    ['1080', { port: 1080 }],
    ['0', { port: 0 }],
    ['localhost:1080', { host: 'localhost', port: 1080 }],
    ['*:1080', { host: '', port: 1080 }],
    ['/run/socks', { path: '/run/socks' }],
  ])('%s is a SOCKS server in the job', (text, from) => {
    expect(parseForward('remote', text)).toEqual({ kind: 'remote-dynamic', from })
  })

  it.each(['', 'x', '99999', 'a:b', '/run/a:80', '1:2:3:4:5'])('is not %j', (text) => {
    expect(() => parseForward('remote', text)).toThrow('-R takes [BIND:]PORT:HOST:HOSTPORT')
  })
})

describe('the arguments of -D and -W', () => {
  it('are where to listen, and where to connect', () => {
    expect(parseDynamic('1080')).toEqual({ kind: 'dynamic', from: { port: 1080 } })
    expect(parseDynamic('[::1]:1080')).toEqual({ kind: 'dynamic', from: { host: '::1', port: 1080 } })
    expect(parseTarget('db:5432')).toEqual({ host: 'db', port: 5432 })
    expect(parseTarget('[::1]:80')).toEqual({ host: '::1', port: 80 })
    expect(parseTarget('/run/app.sock')).toEqual({ path: '/run/app.sock' })
  })

  it.each(['', 'x', '/run/a', '1:2:3', '99999'])('-D refuses %j', (text) => {
    expect(() => parseDynamic(text)).toThrow(`-D takes [BIND:]PORT, not '${text}'.`)
  })

  it.each(['', 'x', '80', ':80', 'a:0', 'a:b:80', '::1:80'])('-W refuses %j', (text) => {
    expect(() => parseTarget(text)).toThrow(`-W takes HOST:PORT or the path of a socket, not '${text}'.`)
  })
})
