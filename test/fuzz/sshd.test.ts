import fc from 'fast-check'
import { parseKeyOptions } from '../../src/sshd/key-options.js'
import { FUZZ_SEED } from '../helpers/fuzz-seed.js'
import { fixedSeedTests } from './core/fixed-seed.js'
import { SSHD_TARGETS } from './targets/sshd.js'

describe('the files of sshd, whatever is in them', () => {
  fixedSeedTests('are honoured or refused', SSHD_TARGETS)

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
