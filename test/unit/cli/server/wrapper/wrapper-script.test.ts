import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parseArguments } from '../../../../../src/cli/arguments/options.js'
import { SERVER_OPTIONS } from '../../../../../src/cli/server/settings.js'
import { wrapperScript } from '../../../../../src/cli/server/wrapper/wrapper-script.js'
import { FUZZ_SEED } from '../../../../helpers/fuzz-seed.js'
import { SHELLS } from '../../../../helpers/shells.js'
import { temporaryDirectory } from '../../../../helpers/temporary-directory.js'

const TEMPLATE = join(process.cwd(), 'src/cli/server/wrapper/wrapper.sh')
const OTHER_MODES = ['inetd', 'help', 'version']

it('says so when its template asks for what there is not', () => {
  expect(() => wrapperScript('a @NOTHING_OF_THE_KIND@ b')).toThrow(
    'wrapper.sh asks for @NOTHING_OF_THE_KIND@, which there is not.',
  )
  expect(wrapperScript('a@b.example')).toBe('a@b.example')
})

/** Words that may stand before a command, and what begins with one. */
const word = fc.oneof(
  ...Object.entries(SERVER_OPTIONS).map(([name, spec]) =>
    fc.constantFrom(`--${name}`, `--${name}=x y`, ...('short' in spec ? [`-${spec.short}`] : [])),
  ),
  fc.constantFrom('--', '-', '', 'word', '--nope', '-x', '--=', '*', 'a b'),
)

describe.each(SHELLS)('the script in front of a job, run by %s', (name, shell) => {
  const directory = temporaryDirectory()
  const file = (): string => join(directory(), 'sshjob-server')
  beforeAll(() => {
    writeFileSync(file(), wrapperScript(readFileSync(TEMPLATE, 'utf8')))
    chmodSync(file(), 0o755)
  })
  /** Without Node.js, the command is run as it is: here, one that prints its arguments. */
  const run = (args: readonly string[]) => {
    const [program = '', ...before] = shell
    return spawnSync(program, [...before, file(), ...args], { env: { PATH: '/nowhere' }, encoding: 'utf8' })
  }

  it('finds the command behind the options as the server itself does', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (words) => {
        const args = [...words, '--', '/usr/bin/printf', '<%s>', 'a b', '-i']
        const { stdout, status } = run(args)
        let expected = { stdout: '', status: 255 }
        try {
          const { given, operands } = parseArguments(args, SERVER_OPTIONS, 'sshjob-server')
          const strange = given.some(({ name }) => OTHER_MODES.includes(name) || name === 'require-session')
          if (!strange && operands[0] === '/usr/bin/printf') {
            expected = { stdout: '<a b><-i>', status: 0 }
          } else if (!strange) return // some other command, which is not there
        } catch {
          // Wrong options are the server's to complain about.
        }
        expect([args, { stdout, status }]).toEqual([args, expected])
      }),
      { numRuns: 60, seed: FUZZ_SEED },
    )
  })

  it('says why no session can enter the job, and what else keeps it from running', () => {
    const no = 'sshjob-server: There is no Node.js: neither beside this program nor in PATH.'
    expect(run(['--', '/bin/echo', 'ran'])).toMatchObject({
      stdout: 'ran\n',
      stderr: `${no} The job runs all the same, and can't be entered.\n`,
      status: 0,
    })
    expect(run(['--require-session', '--', '/bin/echo', 'ran'])).toMatchObject({
      stdout: '',
      stderr: `${no} The job was not started, as --require-session says.\n`,
      status: 255,
    })
    for (const args of [['-i'], ['--help'], ['--job-id', 'x'], ['-t', '-f', 'x'], []]) {
      expect([args, run(args)]).toEqual([args, expect.objectContaining({ stderr: `${no}\n`, status: 255 })])
    }
  })

  it('does not take what lies somewhere else for its own, where its link leads nowhere', () => {
    const link = join(directory(), `link-${name}`)
    symlinkSync('/nowhere/at/all', link)
    const [program = '', ...before] = shell
    const args = [...before, '-c', readFileSync(file(), 'utf8'), link, '--', '/bin/echo', 'ran']
    expect(spawnSync(program, args, { encoding: 'utf8' })).toMatchObject({
      stdout: 'ran\n',
      stderr: `sshjob-server: Where the link ${link} leads can't be found out: call sshjob-server by its own path. The job runs all the same, and can't be entered.\n`,
      status: 0,
    })
  })
})
