import { matchesList, matchesPattern } from '../../../src/core/patterns.js'
import { matchesAddress, parseNetwork } from '../../../src/sshd/patterns.js'

describe('patterns', () => {
  it.each([
    ['alice', 'alice', true],
    ['alice', 'a*e', true],
    ['alice', 'a*', true],
    ['alice', '*', true],
    ['', '*', true],
    ['', '?', false],
    ['alice', 'alic?', true],
    ['alice', 'alice?', false],
    ['alice', 'Alice', false],
    ['aXbXc', 'a*b*c', true],
    ['aXbXd', 'a*b*c', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
  ])('%j against %j: %p', (text, pattern, fits) => {
    expect(matchesPattern(text, pattern)).toBe(fits)
  })

  it('with many stars are judged at once', () => {
    expect(matchesPattern('a'.repeat(10_000), `${'*a'.repeat(1_000)}*b`)).toBe(false)
  })

  it('of a list: a negated one that fits decides, wherever it stands', () => {
    expect(matchesList('bob', ['*', '!bob'])).toBe('no')
    expect(matchesList('bob', ['!bob', '*'])).toBe('no')
    expect(matchesList('alice', ['*', '!bob'])).toBe('yes')
    expect(matchesList('alice', ['!bob'])).toBe('none')
  })

  it.each([
    ['192.168.0.1', '192.168.0.0/16', true],
    ['192.169.0.1', '192.168.0.0/16', false],
    ['::1', '::1', true],
    ['0:0::1', '::1', true],
    ['2000::1', '2000::/16', true],
    ['2001::1', '2000::/16', false],
    ['::1', '127.0.0.0/8', false],
    ['10.0.0.7', '10.0.0.?', true],
    ['10.0.0.7', '10.*', true],
    ['UNKNOWN', '0.0.0.0/0', false],
    ['UNKNOWN', '*', true],
    ['10.0.0.7', '10.0.0.7/8', false],
  ])('the address %s against %s: %p', (address, pattern, fits) => {
    expect(matchesAddress(address, pattern)).toBe(fits)
  })

  it.each(['10.0.1.0/8', '10.0.0.1/24', '2000:aa:bb:01::/56', '10.0.0.0/33', '::/129', '10.0.0.0/x'])(
    'the network %s is none',
    (text) => {
      expect(parseNetwork(text)).toBe('invalid')
    },
  )

  it.each(['10.0.0.0/8', '::/0', '2000:aa:bb::/56', '::ffff:10.0.0.0/104', '0.0.0.0/0'])(
    'the network %s is one',
    (text) => {
      expect(parseNetwork(text)).toMatchObject({ address: text.split('/')[0] })
    },
  )
})
