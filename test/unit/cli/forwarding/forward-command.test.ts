import { parseForwardCommand, runForwardCommand } from '../../../../src/cli/forwarding/forward-command.js'
import type { Forwardings } from '../../../../src/cli/forwarding/forwardings.js'

describe('a line of ~C', () => {
  it.each([
    ['-L8080:db:5432', { kind: 'local', from: { port: 8080 }, to: { host: 'db', port: 5432 } }],
    ['  -R 0:/run/a ', { kind: 'remote', from: { port: 0 }, to: { path: '/run/a' } }],
    ['-R 1080', { kind: 'remote-dynamic', from: { port: 1080 } }],
    ['-D [::1]:1080', { kind: 'dynamic', from: { host: '::1', port: 1080 } }],
  ])('%j adds a forwarding', (line, spec) => {
    expect(parseForwardCommand(line)).toEqual({ action: 'add', spec })
  })

  it.each([
    ['-KL8080', 'local', { port: 8080 }],
    ['-KR localhost:80', 'remote', { host: 'localhost', port: 80 }],
    ['-KL ./a.sock', 'local', { path: './a.sock' }],
    ['-KD 1080', 'dynamic', { port: 1080 }],
  ])('%j ends one', (line, kind, at) => {
    expect(parseForwardCommand(line)).toEqual({ action: 'cancel', kind, at })
  })

  it.each(['help', 'h', '-h', '?'])('%j asks for help', (line) => {
    expect(parseForwardCommand(line)).toEqual({ action: 'help' })
  })

  it.each([
    ['-X', "'-X' is no command: 'help' lists them."],
    ['ls', "'ls' is no command: 'help' lists them."],
    ['-L', '-L takes'],
    ['-L x', '-L takes'],
    ['-D', '-D takes'],
    ['-KR', "-KR takes [BIND:]PORT, not ''."],
    ['-KL 1:2:3', "-KL takes [BIND:]PORT, not '1:2:3'."],
  ])('%j is an error', (line, message) => {
    expect(() => parseForwardCommand(line)).toThrow(message)
  })

  it('loads nothing where nothing is to be done', async () => {
    const load = (): Promise<Forwardings> => Promise.reject(new Error('loaded'))
    expect(await runForwardCommand(undefined, load)).toBe('')
    expect(await runForwardCommand('help', load)).toContain('-KD [BIND:]PORT')
    await expect(runForwardCommand('-D 0', load)).rejects.toThrow('loaded')
  })
})
