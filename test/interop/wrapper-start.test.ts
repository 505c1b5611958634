import { constants } from 'node:os'
import { asBatchSystem, compare, type StartedWith, wrap } from '../helpers/batch-system.js'
import { describeWith } from '../helpers/needs.js'
import { runProgram, SSHJOB, WRAPPER } from '../helpers/programs.js'
import { SHELLS } from '../helpers/shells.js'
import { starterSuite } from '../helpers/starter.js'

const { SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGWINCH } =
  constants.signals
const SIGRTMIN = 34

/** Of /proc/PID/status, proc(5). */
const STATUS = '^(Umask|Groups|SigBlk|SigIgn|SigCgt|CapInh|CapPrm|CapEff|NoNewPrivs|Seccomp|Cpus_allowed):'

describe.each(SHELLS)('sshjob-server -i, run by %s', (_name, shell) => {
  const { user } = starterSuite()

  it('has an environment that no shell can hand on, and takes none of it for itself', async () => {
    const proxy = [...shell, WRAPPER, '-i'].join(' ')
    const server = `env 'a.b-c=x y' NODE_OPTIONS=--nope NODE_V8_COVERAGE=/nowhere LD_LIBRARY_PATH=/nowhere ${proxy}`
    const { stdout, stderr, exitCode } = await runProgram(
      SSHJOB,
      ['--proxy-command', server, 'box', "tr '\\0' '\\n' </proc/$$/environ"],
      {
        env: user().env,
      },
    )
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['a.b-c=x y', 'NODE_OPTIONS=--nope', 'LD_LIBRARY_PATH=/nowhere']),
    )
    expect(stdout).not.toContain('SSHJOB_ENVIRONMENT')
  })
})

describeWith(['python3'], 'a job starts with sshjob-server in front of it as it does without:', () => {
  const { user } = starterSuite()
  /** What it prints and how it ends is the same. */
  const expectSame = async (command: readonly string[], start: StartedWith = {}) => {
    const { bare, wrapped, same } = await compare(user(), command, [], start)
    expect(wrapped).toEqual(same)
    return bare
  }

  it.each([
    ['none', []],
    ['the one that nohup(1) ignores', [SIGHUP]],
    [
      'many',
      [
        SIGHUP,
        SIGINT,
        SIGQUIT,
        SIGPIPE,
        SIGTERM,
        SIGUSR1,
        SIGIO,
        SIGWINCH,
        SIGTSTP,
        SIGTTIN,
        SIGTTOU,
        SIGRTMIN,
      ],
    ],
  ])('signals that are ignored, %s; umask, groups, capabilities, processors', async (_which, ignored) => {
    const { stdout } = await expectSame(['grep', '-E', STATUS, '/proc/self/status'], {
      ignored,
      setup: 'os.umask(0o37)',
    })
    const mask = ignored.reduce((sum, number) => sum + (1n << BigInt(number - 1)), 0n)
    expect(stdout).toContain(`SigIgn:\t${mask.toString(16).padStart(16, '0')}\n`)
    expect(stdout).toContain('Umask:\t0037\n')
  })

  it('every limit', async () => {
    const { stdout } = await expectSame(['cat', '/proc/self/limits'], {
      limits: {
        RLIMIT_NOFILE: [300, 400],
        RLIMIT_CORE: [4_096, 8_192],
        RLIMIT_STACK: [4 * 2 ** 20, 16 * 2 ** 20],
        RLIMIT_FSIZE: [10 ** 9, 10 ** 9],
        RLIMIT_CPU: [100, 200],
        RLIMIT_MEMLOCK: [4_096, 8_192],
        RLIMIT_AS: [4 * 10 ** 9, 8 * 10 ** 9],
      },
    })
    expect(stdout).toMatch(/^Max open files +300 +400 +files/m)
  })

  it('the limits of whom Node.js has no room for', async () => {
    for (const limits of [
      { RLIMIT_AS: [10 ** 9, 10 ** 9] },
      { RLIMIT_DATA: [5 * 10 ** 8, 5 * 10 ** 8] },
      { RLIMIT_NOFILE: [20, 20] },
      // With fewer, dash and busybox run no script.
      { RLIMIT_NOFILE: [13, 13] },
    ] as const) {
      const bare = await asBatchSystem(user(), ['cat', '/proc/self/limits'], [], { limits })
      for (const [name, shell] of SHELLS) {
        const seen = await asBatchSystem(user(), wrap(shell, ['cat', '/proc/self/limits']), [], { limits })
        const [number] = Object.values(limits).flat()
        expect([name, seen]).toEqual([
          name,
          {
            ...bare,
            stderr: expect.stringMatching(
              new RegExp(
                `^sshjob-server: The limit of [a-z ]+ \\(ulimit -(v|d|n|Hn)\\) is (below 20, and the shell needs that|${number}, and Node\\.js needs \\d+)\\. The job runs all the same, and can't be entered\\.\\n$`,
              ),
            ),
          },
        ])
      }
    }
  })

  it('nice, and its arguments', async () => {
    expect(await expectSame(['nice'], { setup: 'os.nice(7)' })).toMatchObject({ stdout: '7\n' })
    const args = ['a b', '', '*', '--', '-i', '\\', 'é\n']
    expect(await expectSame(['sh', '-c', 'printf "<%s>" "$@"', 'sh', ...args])).toMatchObject({
      stdout: Buffer.from(args.map((arg) => `<${arg}>`).join('')).toString('latin1'),
    })
  })

  it('its working directory, also one that is not UTF-8, or gone', async () => {
    const enter = (name: string, more: string): string =>
      `os.makedirs(b'/tmp/' + b'${name}' + str(os.getpid()).encode()); os.chdir(b'/tmp/' + b'${name}' + str(os.getpid()).encode()); ${more}`
    const name = /sj-./
    for (const start of [
      { setup: enter('sj-\\xe9', 'os.rmdir(os.getcwdb())') },
      { setup: enter('sj-\\xe9', "open('it', 'w').close()") },
    ]) {
      const command = ['sh', '-c', 'readlink /proc/self/cwd; ls; rm -rf "$(readlink /proc/self/cwd)"']
      const { bare, wrapped } = await compare(user(), command, [], start)
      expect(bare.stdout).toMatch(name)
      const anyNumber = (text: string): string => text.replaceAll(/\d+/g, 'N')
      for (const [shell, seen] of Object.entries(wrapped)) {
        expect([shell, anyNumber(seen.stdout)]).toEqual([shell, anyNumber(bare.stdout)])
      }
    }
  })

  it('its environment, with names and bytes that no shell can export, and what would have its effect on Node.js', async () => {
    const setup = [
      "os.environb[b'BYTES'] = b'\\xff\\xfe'",
      "os.environ.update({'a.b-c': 'x y', 'BASH_FUNC_module%%': '() {  :\\n}', 'LINES2': 'a\\nb', 'EMPTY': ''})",
      "os.environ.update({'NODE_OPTIONS': '--inspect=0 --nope', 'NODE_EXTRA_CA_CERTS': '/nowhere', 'OPENSSL_CONF': '/nowhere'})",
      "os.environ.update({'LD_LIBRARY_PATH': '/nowhere', 'NODE_V8_COVERAGE': '/nowhere', 'UV_THREADPOOL_SIZE': '1', 'SHLVL': '3'})",
    ].join('; ')
    const { bare, wrapped } = await compare(user(), ['env', '-0'], [], { setup })
    const sorted = ({ stdout }: { stdout: string }): string[] =>
      stdout
        .split('\0')
        .filter((entry) => !/^_=/.test(entry))
        .sort()
    expect(sorted(bare)).toEqual(expect.arrayContaining(['a.b-c=x y', 'BYTES=\xff\xfe', 'LINES2=a\nb']))
    for (const [name, seen] of Object.entries(wrapped)) {
      expect([name, sorted(seen), seen.stderr]).toEqual([name, sorted(bare), ''])
    }
  })

  it.each([
    ['those that make(1) and shells hand on', [3, 4]],
    ['with gaps', [3, 7, 30]],
    ['all that a shell knows', [3, 4, 5, 6, 7, 8, 9]],
    ['more than that', [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]],
    ['those that no shell but bash knows', [3, 10, 11, 12, 15]],
  ])('its descriptors, %s', async (_which, pass) => {
    const script = 'ls /proc/self/fd; readlink /proc/self/fd/3'
    const { stdout } = await expectSame(['sh', '-c', script], { pass })
    for (const descriptor of pass) expect(stdout.split('\n')).toContain(String(descriptor))
    expect(stdout).toContain('/etc/passwd')
  })

  it('whoever reads its output, or writes to it, learns that it has closed its own', async () => {
    const script = 'exec <&- >&-; echo closed >&2; while [ ! -e "$1" ]; do sleep 0.05; done; exit 3'
    const ends = `"$@" | { cat; touch "$0"; }`
    for (const [name, shell] of SHELLS) {
      const flag = `${user().folder}/seen-${name}`
      const command = wrap(shell, ['sh', '-c', script, 'sh', flag])
      const seen = await asBatchSystem(user(), ['sh', '-c', ends, flag, ...command], [])
      expect([name, seen]).toEqual([name, { seen: [['exit', 0]], stdout: '', stderr: 'closed\n' }])
    }
  })

  it('a program that is not there is told', async () => {
    for (const [name, shell] of SHELLS) {
      const seen = await asBatchSystem(user(), wrap(shell, ['/nowhere/program']), [])
      expect([name, seen]).toEqual([
        name,
        {
          seen: [['exit', 255]],
          stdout: '',
          stderr:
            'sshjob-server: The job /nowhere/program could not be started: there is no such program, or it may not be run; check the command after --.\n',
        },
      ])
    }
  })
})
