import { constants } from 'node:os'
import { asBatchSystem, COUNTING_JOB, compare, type Step, wrap } from '../helpers/batch-system.js'
import { describeWith } from '../helpers/needs.js'
import { SHELLS } from '../helpers/shells.js'
import { starterSuite } from '../helpers/starter.js'

const { SIGCONT, SIGINT, SIGKILL, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals
/** Long enough for what comes twice to have come twice; SIGWINCH may take a second more where the shell is bash. */
const TWICE_S = 1.5

describeWith(['python3'], 'a job that is stopped, with sshjob-server in front of it', () => {
  const { user } = starterSuite()
  const stopping = (target: 'pid' | 'group', signal: number): Step[] => [
    ['send', target, signal],
    ['see'],
    ['sleep', 0.3],
    ['continue', target, 'see'],
    ['expect', `got ${SIGCONT}\n`],
  ]

  it.each([
    ['by SIGSTOP to it', stopping('pid', SIGSTOP)],
    ['by SIGTSTP to it', stopping('pid', SIGTSTP)],
    ['by SIGSTOP to its group', stopping('group', SIGSTOP)],
    ['by SIGTSTP to its group', stopping('group', SIGTSTP)],
    ['by SIGTTIN to its group, twice', [...stopping('group', SIGTTIN), ...stopping('group', SIGTTIN)]],
  ] as const)('%s, is seen to be, and goes on', async (_how, steps) => {
    const all: Step[] = [['expect', 'ready'], ...steps, ['sleep', 0.3], ['type', 'hello\nexit 4\n']]
    const { bare, wrapped, same } = await compare(user(), COUNTING_JOB, all)
    expect(bare.seen.map(([what]) => what)).toContain('stopped')
    expect(bare.seen.at(-1)).toEqual(['exit', 4])
    expect(wrapped).toEqual(same)
  })

  it('by SIGSTOP to its group, goes on alone', async () => {
    const steps: Step[] = [
      ['expect', 'ready'],
      ['send', 'group', SIGSTOP],
      ['see'],
      ['sleep', 0.3],
      ['continue', 'pid', 'see'],
      ['expect', `got ${SIGCONT}\n`],
      ['sleep', 0.3],
      ['type', 'exit 4\n'],
    ]
    const bare = await asBatchSystem(user(), COUNTING_JOB, steps)
    expect(bare.seen.at(-1)).toEqual(['exit', 4])
    // bash may learn of it with the next signal only: SIGCHLD, which comes at the same time, is no reason for it to wake.
    for (const [name, shell] of SHELLS.filter(([name]) => name !== 'bash')) {
      expect([name, await asBatchSystem(user(), wrap(shell, COUNTING_JOB), steps)]).toEqual([name, bare])
    }
  })

  it('can be killed then, and what was sent meanwhile comes when it goes on', async () => {
    for (const rest of [
      [['send', 'pid', SIGKILL]],
      [
        ['send', 'pid', SIGTERM],
        ['continue', 'pid'],
        ['expect', 'got 15'],
        ['sleep', 0.3],
        ['type', 'exit 4\n'],
      ],
    ] as const) {
      const steps: Step[] = [['expect', 'ready'], ['send', 'pid', SIGSTOP], ['see'], ...rest]
      const { wrapped, same } = await compare(user(), COUNTING_JOB, steps)
      // Both come; which is first, is chance where they come one by one.
      const inOrder = (all: typeof same) =>
        Object.entries(all).map(([name, seen]) => [name, { ...seen, stdout: seen.stdout.split('\n').sort() }])
      expect(inOrder(wrapped)).toEqual(inOrder(same))
    }
  })

  it('by itself, is seen to be', async () => {
    const steps: Step[] = [['see'], ['sleep', 0.2], ['continue', 'pid'], ['expect', 'on']]
    const { bare, wrapped, same } = await compare(
      user(),
      ['sh', '-c', 'kill -STOP $$; echo on; exit 5'],
      steps,
    )
    expect(bare.seen).toEqual([
      ['stopped', SIGSTOP],
      ['exit', 5],
    ])
    expect(wrapped).toEqual(same)
  })

  it('is not, where it catches the signal', async () => {
    const steps: Step[] = [['expect', 'ready']]
    for (const target of ['pid', 'group'] as const) {
      steps.push(['send', target, SIGTSTP], ['expect', `got ${SIGTSTP}\n`])
    }
    steps.push(['sleep', TWICE_S], ['type', 'exit 4\n'])
    const { bare, wrapped, same } = await compare(user(), [...COUNTING_JOB, 'stops'], steps)
    expect(bare.seen).toEqual([['exit', 4]])
    expect(wrapped).toEqual(same)
  })
})

describeWith(['python3'], 'a job in a terminal, with sshjob-server in front of it', () => {
  const { user } = starterSuite()
  const terminal = true

  it('reads the terminal, which is its controlling one', async () => {
    const script = 'tty; read line; echo "got $line"; echo there >/dev/tty; exit 3'
    const steps: Step[] = [
      ['expect', 'pts'],
      ['type', 'hello\n'],
    ]
    const { bare, wrapped, same } = await compare(user(), ['sh', '-c', script], steps, { terminal })
    expect(bare).toMatchObject({
      seen: [['exit', 3]],
      stdout: expect.stringMatching(/got hello\r\nthere\r\n$/),
    })
    const anyName = ({ stdout, ...rest }: { stdout: string }) => ({
      ...rest,
      stdout: stdout.replace(/pts\/\d+/, 'pts/N'),
    })
    for (const [name] of SHELLS) expect(anyName(wrapped[name] ?? bare)).toEqual(anyName(same[name] ?? bare))
  })

  it.each([
    [
      'gets Ctrl-C and Ctrl-\\ once',
      [
        ['type', '\x03'],
        ['expect', 'got 2'],
        ['type', '\x1c'],
        ['expect', 'got 3'],
      ],
    ],
    [
      'is stopped by Ctrl-Z and continued by fg, twice',
      [1, 2].flatMap((): Step[] => [['type', '\x1a'], ['see'], ['continue', 'group'], ['expect', 'got 18']]),
    ],
  ] as readonly (readonly [string, readonly Step[]])[])('%s', async (_what, steps) => {
    const all: Step[] = [['expect', 'ready'], ...steps, ['sleep', 0.5], ['type', 'exit 3\n']]
    const { bare, wrapped, same } = await compare(user(), COUNTING_JOB, all, { terminal })
    expect(bare.seen.at(-1)).toEqual(['exit', 3])
    expect(wrapped).toEqual(same)
  })

  it('is ended by Ctrl-C', async () => {
    const { bare, wrapped, same } = await compare(
      user(),
      ['sh', '-c', 'echo up; exec sleep 60'],
      [
        ['expect', 'up'],
        ['type', '\x03'],
      ],
      { terminal },
    )
    expect(bare.seen).toEqual([['signal', SIGINT]])
    expect(wrapped).toEqual(same)
  })

  it.each([
    ['reads', SIGTTIN, 'echo up; sleep 0.5; read line; echo "got $line"; exit 2'],
    [
      'writes to a terminal that forbids it',
      SIGTTOU,
      'stty tostop; echo up; sleep 0.5; echo "got it"; exit 2',
    ],
  ])('is stopped in the background when it %s', async (_what, signal, script) => {
    const steps: Step[] = [
      ['expect', 'up'],
      ['background'],
      ['see'],
      ['sleep', 0.3],
      ['continue', 'group'],
      ['sleep', 0.3],
      ['type', 'a line\n'],
      ['expect', 'got'],
    ]
    const { bare, wrapped, same } = await compare(user(), ['sh', '-c', script], steps, { terminal })
    expect(bare.seen).toEqual([
      ['stopped', signal],
      ['exit', 2],
    ])
    expect(wrapped).toEqual(same)
  })

  it('learns of a new size of its window once', async () => {
    const script = `trap 'echo size' WINCH; stty rows 40; sleep ${TWICE_S}; sleep 0.3; exit 6`
    const { bare, wrapped, same } = await compare(user(), ['sh', '-c', script], [], { terminal })
    expect(bare).toMatchObject({ seen: [['exit', 6]], stdout: 'size\r\n' })
    expect(wrapped).toEqual(same)
  })
})
