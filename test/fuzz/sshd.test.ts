import fc from 'fast-check'
import { SshjobError } from '../../src/core/errors.js'
import { generateKey } from '../../src/ssh/keys.js'
import { parseAuthorizedKeys } from '../../src/sshd/authorized-keys.js'
import { checkHonoured, dumpConfig, resolveConfig } from '../../src/sshd/config.js'
import { parseKeyOptions } from '../../src/sshd/key-options.js'
import { KEYWORDS } from '../../src/sshd/keywords.js'
import { parseConfig, type ReadConfig } from '../../src/sshd/read-config.js'
import { FUZZ_SEED } from '../helpers/fuzz-seed.js'

const SPEC = { user: 'alice', host: 'h', address: '10.0.0.1', localAddress: '::1', localPort: 22 }

const word = fc.oneof(
  fc.constantFrom(
    'yes',
    'no',
    'none',
    'any',
    '1',
    '10m',
    '1k',
    '"a b"',
    'a=b',
    '*',
    '!a',
    '10.0.0.0/8',
    'all',
    'User',
  ),
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const keyword = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...KEYWORDS.map(({ name }) => name)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
)
const line = fc
  .tuple(keyword, fc.constantFrom(' ', '=', '\t', ' = ', ''), fc.array(word, { maxLength: 4 }))
  // What it would include are files of this machine.
  .map(([name, between, words]) =>
    /^include$/i.test(name.trim()) ? '' : `${name}${between}${words.join(' ')}`,
  )
const text = fc.oneof(
  fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n')),
  fc.string({ unit: 'binary', maxLength: 100 }).filter((anything) => !/include/i.test(anything)),
)

/** The outcome, or undefined for an error that is one of a user. */
function orRefusal<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    expect(error).toBeInstanceOf(SshjobError)
    return undefined
  }
}

describe('a configuration of sshd, whatever is in it', () => {
  it('is read or refused, and what was read can be asked for anything', () => {
    const seen = { read: 0, honoured: 0 }
    const examine = ({ directives }: ReadConfig): void => {
      seen.read += 1
      const honoured = orRefusal(() => {
        checkHonoured(directives)
        return true
      })
      for (const spec of [undefined, SPEC]) {
        const config = resolveConfig(directives, spec)
        for (const { name } of KEYWORDS) config.all(name)
        const dumped = dumpConfig(config)
        if (honoured !== true || dumped.includes('\r')) continue
        seen.honoured += 1
        expect(dumpConfig(resolveConfig(parseConfig(dumped, 'dump').directives))).toBe(dumped)
      }
    }
    fc.assert(
      fc.property(text, (config) => {
        const read = orRefusal(() => parseConfig(config, 'config'))
        if (read !== undefined) examine(read)
      }),
      { numRuns: 1_000, seed: FUZZ_SEED },
    )
    expect(seen.read).toBeGreaterThan(100)
    expect(seen.honoured).toBeGreaterThan(50)
  })
})

const { publicKey } = generateKey()

describe('a file of keys, whatever is in it', () => {
  it('is read without an error, and has no other keys than those that stand there', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        publicKey,
        `command="a b" ${publicKey}`,
        'restrict',
        ',',
        '="',
        '"',
        '\\"',
        ' ',
        '\n',
        'from="',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.nat(publicKey.length).map((at) => publicKey.slice(0, at)),
    )
    let found = 0
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const whole = pieces.join('')
        for (const key of parseAuthorizedKeys(whole).keys) {
          found += 1
          expect(whole).toContain(key.blob.toString('base64').replace(/=+$/, ''))
        }
      }),
      { numRuns: 4_000, seed: FUZZ_SEED },
    )
    expect(found).toBeGreaterThan(20)
  })

  it('never loses a restriction among options that it takes', () => {
    const option = fc.constantFrom(
      ...['restrict', 'no-pty', 'pty', 'no-port-forwarding', 'port-forwarding', 'user-rc', 'NO-PTY'],
      ...['command="a,no-pty \\"b"', 'from="10.0.0.1"', 'permitopen="h:1"', 'expiry-time="20380101Z"'],
      ...[
        'cert-authority',
        'verify-required',
        'principals="a"',
        'invented',
        'no-',
        'pty="a"',
        '',
        'from=10.0.0.1',
      ],
    )
    fc.assert(
      fc.property(fc.array(option, { maxLength: 6 }), (options) => {
        const parsed = parseKeyOptions(options.join(','))
        if (typeof parsed === 'string') return
        const last = (name: string): boolean => {
          const at = (wanted: string): number => options.map((one) => one.toLowerCase()).lastIndexOf(wanted)
          return at(name) >= Math.max(at(`no-${name}`), at('restrict'))
        }
        expect(parsed.pty).toBe(last('pty'))
        expect(parsed.portForwarding).toBe(last('port-forwarding'))
        expect(parsed.command !== undefined).toBe(options.some((one) => one.startsWith('command=')))
        expect(parsed.from !== undefined).toBe(options.some((one) => one.startsWith('from=')))
        expect(options).not.toContain('cert-authority')
        expect(options).not.toContain('verify-required')
        expect(options).not.toContain('invented')
      }),
      { numRuns: 2_000, seed: FUZZ_SEED },
    )
  })
})
