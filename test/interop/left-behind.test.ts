import { mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { SESSION_KILL_DELAY_MS } from '../../src/core/limits.js'
import { describeWith, itAsRoot } from '../helpers/needs.js'
import { expectGone, isAlive } from '../helpers/processes.js'
import { type RunningProgram, startProgram } from '../helpers/programs.js'
import { sshdSuite } from '../helpers/sshd.js'

const SSHD = '/usr/sbin/sshd'
/** When it is told to go, a process of ours is gone after this long, or stays. */
const SETTLED_MS = SESSION_KILL_DELAY_MS + 1_000

/** Where the script runs: typed into a shell in a terminal, as a command in a terminal, as a command on pipes. */
type How = 'shell' | 'terminal' | 'pipes'
type Fate = 'stays' | 'goes'

/** Each says the pid that is looked for; what becomes of that when the client is killed, with sshd and with us. */
const ROWS: readonly [how: How, script: string, sshd: Fate, ours: Fate][] = [
  ['shell', 'sh -c "echo pid \\$\\$; exec sleep 1000"', 'goes', 'goes'],
  ['shell', 'sh -c "echo pid \\$\\$; exec sleep 1000" | cat', 'goes', 'goes'],
  ['shell', 'sleep 1000 & echo pid $!', 'goes', 'goes'],
  ['shell', 'sleep 1000 >/dev/null 2>&1 </dev/null & echo pid $!', 'goes', 'goes'],
  ['shell', 'sleep 1000 & disown; echo pid $!', 'stays', 'stays'],
  ['shell', 'nohup sleep 1000 & sleep 0.3; echo pid $!', 'stays', 'stays'],
  ['shell', 'nohup sh -c "echo pid \\$\\$ >/dev/tty; exec sleep 1000"', 'stays', 'stays'],
  ['shell', 'setsid sh -c "echo pid \\$\\$; exec sleep 1000" &', 'stays', 'stays'],
  ['shell', `sh -c "trap '' HUP TERM; echo pid \\$\\$; exec sleep 1000" &`, 'stays', 'goes'],
  ['shell', 'sh -c "trap : HUP TERM; echo pid \\$\\$; while :; do sleep 0.1; done"', 'stays', 'goes'],
  [
    'shell',
    'sh -c "trap : HUP TERM; echo pid \\$\\$; while :; do sleep 0.1; done" & disown',
    'stays',
    'stays',
  ],
  ['terminal', 'echo pid $$; sleep 1000', 'goes', 'goes'],
  ['terminal', 'sleep 1000 & echo pid $!; sleep 1000', 'goes', 'goes'],
  ['terminal', 'nohup sleep 1000 & sleep 0.3; echo pid $!; sleep 1000', 'stays', 'stays'],
  ['terminal', `trap '' HUP TERM; echo pid $$; sleep 1000`, 'stays', 'goes'],
  ['pipes', 'echo pid $$; sleep 1000', 'stays', 'goes'],
  ['pipes', 'sh -c "echo pid \\$\\$; exec sleep 1000" | cat', 'stays', 'goes'],
  ['pipes', 'sleep 1000 & echo pid $!; sleep 1000', 'stays', 'goes'],
  ['pipes', 'sleep 1000 >/dev/null 2>&1 & echo pid $!; sleep 1000', 'stays', 'stays'],
  ['pipes', 'nohup sleep 1000 & sleep 0.3; echo pid $!; sleep 1000', 'stays', 'stays'],
  ['pipes', 'sleep 1000 & echo pid $!', 'stays', 'stays'],
  ['pipes', 'sleep 1000 & disown; echo pid $!', 'stays', 'stays'],
  ['pipes', `sh -c "trap '' HUP TERM; echo pid \\$\\$; exec sleep 1000"`, 'stays', 'goes'],
]

describeWith(
  ['ssh', SSHD, 'bash', 'setsid', 'nohup'],
  'what a session leaves behind when its connection is lost',
  () => {
    const suite = sshdSuite()
    const left: number[] = []

    beforeAll(() => {
      suite.configure([])
      if (process.geteuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    })
    afterEach(async () => {
      for (const pid of left.splice(0)) {
        if (isAlive(pid)) process.kill(pid, 'SIGKILL')
        await expectGone(pid)
      }
    })

    /** OpenSSH's client to the one server or the other, both started by it and configured alike. */
    function open(server: 'sshd' | 'ours', how: How, script: string): RunningProgram {
      const ours = suite.args()
      const config = `${suite.folder()}/config`
      const theirs = [...ours.slice(0, -1), `ProxyCommand=${SSHD} -i -o UsePAM=no -f ${config}`]
      const shell = 'exec env HISTFILE= bash --norc --noprofile'
      const words =
        how === 'shell' ? [`${shell} -i`] : [`cd /; ${shell} -c '${script.replaceAll("'", "'\\''")}'`]
      const tty = how === 'pipes' ? '-T' : '-tt'
      const session = startProgram('ssh', [...(server === 'ours' ? ours : theirs), tty, 'here', ...words], {
        env: { PATH: process.env.PATH, HOME: suite.folder(), SHELL: '/bin/bash' },
      })
      // nohup(1) writes into its working directory, or into HOME.
      if (how === 'shell') session.child.stdin.write(`cd ${suite.folder()}; ${script}\n`)
      return session
    }

    async function fateOf(server: 'sshd' | 'ours', how: How, script: string): Promise<Fate> {
      const session = open(server, how, script)
      const said = /pid (\d+)/
      await session.waitFor(said)
      const pid = Number(said.exec(session.stdout().toString())?.[1])
      left.push(pid)
      expect(isAlive(pid)).toBe(true)
      // Of a command that ends by itself, the server knows by then.
      await delay(SETTLED_MS)
      session.kill('SIGKILL')
      await session.ended
      await delay(SETTLED_MS)
      return isAlive(pid) ? 'stays' : 'goes'
    }

    async function table(server: 'sshd' | 'ours'): Promise<string[]> {
      const rows = ROWS.map(
        async ([how, script]) => `${how}: ${script}: ${await fateOf(server, how, script)}`,
      )
      // All, also if one fails: what they leave behind is known then.
      await Promise.allSettled(rows)
      return Promise.all(rows)
    }

    // Only as root can it give a terminal away: it changes the owner.
    itAsRoot('is so with sshd', async () => {
      expect(await table('sshd')).toEqual(ROWS.map(([how, script, fate]) => `${how}: ${script}: ${fate}`))
    })

    it('is the same with us, but for litter', async () => {
      expect(await table('ours')).toEqual(ROWS.map(([how, script, , fate]) => `${how}: ${script}: ${fate}`))
    })
  },
)
