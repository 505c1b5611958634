import { constants } from 'node:os'
import { asBatchSystem, COUNTING_JOB, compare, type Seen, type Step, wrap } from '../helpers/batch-system.js'
import { describeWith } from '../helpers/needs.js'
import { SHELLS } from '../helpers/shells.js'
import { starterSuite } from '../helpers/starter.js'

const { SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGINT, SIGKILL, SIGQUIT, SIGSEGV, SIGSTOP, SIGTERM, SIGTRAP } =
  constants.signals
const { SIGALRM, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1 } = constants.signals
/** signal(7): the C library keeps two to itself. */
const ALL = Array.from({ length: 64 }, (_, index) => index + 1).filter(
  (number) => ![SIGKILL, SIGCHLD, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, 32, 33].includes(number),
)
/** They end the server as well, which no program can prevent. */
const FAULTS = [SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP]
/** Long enough for what comes twice to have come twice; SIGWINCH may take a second more where the shell is bash. */
const TWICE_S = 1.5
const SLEEPER = ['sh', '-c', 'echo up; exec sleep 60']

describeWith(['python3'], 'a signal to a job, with sshjob-server in front of it', () => {
  const { user } = starterSuite()

  it.each([
    ['pid', ALL],
    ['group', ALL.filter((number) => !FAULTS.includes(number))],
  ] as const)('of any number, sent to the %s, comes once', async (target, numbers) => {
    const steps: Step[] = [['expect', 'ready']]
    for (const number of numbers) {
      steps.push(['send', target, number], ['expect', `got ${number}\n`])
    }
    steps.push(['sleep', TWICE_S], ['type', 'exit 3\n'])
    const { bare, wrapped, same } = await compare(user(), COUNTING_JOB, steps)
    expect(bare.seen).toEqual([['exit', 3]])
    expect(wrapped).toEqual(same)
  })

  it.each([
    ['pid', [SIGTERM, SIGKILL, SIGSEGV]],
    ['group', [SIGINT, SIGQUIT, SIGKILL]],
  ] as const)('sent to the %s ends it, and who waits for it sees by which', async (target, numbers) => {
    await Promise.all(
      numbers.map(async (number) => {
        const steps: Step[] = [
          ['expect', 'up\n'],
          ['send', target, number],
        ]
        const { bare, wrapped, same } = await compare(user(), SLEEPER, steps)
        expect(bare.seen).toEqual([['signal', number]])
        expect(wrapped).toEqual(same)
      }),
    )
  })

  it('that comes while it is being started ends it, whoever it was sent to', async () => {
    const ends = async (shell: readonly string[], target: 'pid' | 'group', afterMs: number) => {
      const steps: Step[] = [
        ['sleep', afterMs / 1000],
        ['send', target, SIGTERM],
      ]
      const { seen, stderr } = await asBatchSystem(user(), wrap(shell, ['sleep', '60']), steps)
      return [seen, stderr]
    }
    for (const [name, shell] of SHELLS) {
      for (const target of ['pid', 'group'] as const) {
        const delays = [20, 50, 80, 120]
        const seen = await Promise.all(delays.map((afterMs) => ends(shell, target, afterMs)))
        expect([name, target, seen]).toEqual([name, target, delays.map(() => [[['signal', SIGTERM]], ''])])
      }
    }
  })

  it('that timeout(1) sends comes once', async () => {
    const steps: Step[] = [
      ['expect', 'ready'],
      // What its clock would send to it.
      ['send', 'pid', SIGALRM],
      ['expect', `got ${SIGUSR1}\n`],
      ['sleep', TWICE_S],
      ['type', 'exit 9\n'],
    ]
    const timeout = ['timeout', '-s', 'USR1', '60']
    const bare = await asBatchSystem(user(), [...timeout, ...COUNTING_JOB], steps)
    expect(bare.seen).toEqual([['exit', 124]])
    // Whether one to the process and one to its group are two is chance, without us as well.
    const once = ({ stdout, ...rest }: Seen) => ({ ...rest, stdout: [...new Set(stdout.split('\n'))] })
    for (const [name, shell] of SHELLS) {
      const seen = await asBatchSystem(user(), [...timeout, ...wrap(shell, COUNTING_JOB)], steps)
      expect([name, seen.stdout.match(/^got \d+$/gm)]).toEqual([name, [`got ${SIGUSR1}`, `got ${SIGCONT}`]])
      expect([name, once(seen)]).toEqual([name, once(bare)])
    }
  })
})
