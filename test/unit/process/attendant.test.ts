import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { listSessions, type ProcessStat, readStat } from '../../../src/process/process-tree.js'
import { readUntil, startIn, testJob } from '../../helpers/job-session.js'
import { describeWith } from '../../helpers/needs.js'
import { isAlive } from '../../helpers/processes.js'
import { type RunningProgram, startProgram } from '../../helpers/programs.js'

const helper = (name: string): string => join(process.cwd(), 'test/helpers', name)

const startHost = (command: string): RunningProgram =>
  startProgram(process.execPath, [
    '--import',
    helper('register-typescript.mjs'),
    helper('job-host.ts'),
    'sessions',
    command,
  ])

const sessionsOf = (host: RunningProgram): number[] =>
  [
    ...host
      .stdout()
      .toString()
      .matchAll(/session (\d+)/g),
  ].map((match) => Number(match[1]))

/** Its children that lead sessions of their own, apart from these. */
async function attendantsOf(host: RunningProgram, sessions: readonly number[]): Promise<ProcessStat[]> {
  return [...(await listSessions()).values()]
    .flat()
    .filter(({ pid, parent, session }) => parent === host.pid && session === pid)
    .filter(({ pid }) => !sessions.includes(pid))
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20)
}

describe('a starter that is killed', () => {
  const stubborn = `trap '' HUP TERM; (trap '' HUP TERM INT; while :; do sleep 0.1; done) & while :; do sleep 0.1; done`

  it('leaves no process of its sessions, and no attendant', async () => {
    const host = startHost(stubborn)
    await host.waitFor(/session \d+\nsession \d+/)
    const sessions = sessionsOf(host)
    await waitUntil(async () => {
      const living = await listSessions()
      return sessions.every((session) => (living.get(session)?.length ?? 0) >= 3)
    })
    const attendants = await attendantsOf(host, sessions)
    expect(attendants).toHaveLength(1)
    host.kill('SIGKILL')
    await waitUntil(async () => {
      const living = await listSessions()
      return sessions.every((session) => !living.has(session))
    })
    await waitUntil(async () => attendants.every(({ pid }) => readStat(pid) === undefined))
  })

  describeWith(['setsid'], 'with its whole process group', () => {
    it('leaves no process of its sessions either', async () => {
      const host = startProgram('setsid', [
        ...[process.execPath, '--import', helper('register-typescript.mjs'), helper('job-host.ts')],
        ...['sessions', stubborn],
      ])
      await host.waitFor(/session \d+\nsession \d+/)
      const sessions = sessionsOf(host)
      process.kill(-host.pid, 'SIGKILL')
      await waitUntil(async () => {
        const living = await listSessions()
        return sessions.every((session) => !living.has(session))
      })
    })
  })

  it('leaves alone what a session whose command had ended left in the background', async () => {
    const host = startHost('sleep 61 & exit 0')
    await host.waitFor(/session \d+\nsession \d+/)
    const sessions = sessionsOf(host)
    // In a terminal, the kernel has hung up even that: what was left on pipes is left.
    const pipes = sessions[0] ?? 0
    await waitUntil(async () => {
      const living = await listSessions()
      return living.get(pipes)?.length === 1 && !living.get(pipes)?.some(({ pid }) => pid === pipes)
    })
    const [attendant] = await attendantsOf(host, sessions)
    host.kill('SIGKILL')
    await waitUntil(async () => attendant !== undefined && readStat(attendant.pid) === undefined)
    const left = (await listSessions()).get(pipes) ?? []
    expect(left).toHaveLength(1)
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
  })

  it('leaves alone who ignores HUP, or holds nothing of its session', async () => {
    const script = `nohup sleep 62 2>/dev/null & echo nohup $!; sleep 62 >/dev/null 2>&1 </dev/null & echo let go $!
      echo pid $$; sleep 1000`
    const host = startProgram(process.execPath, [
      ...['--import', helper('register-typescript.mjs'), helper('job-host.ts'), 'shown', script],
    ])
    await host.waitFor(/(pid \d+[\s\S]*){2}/)
    const said = host.stdout().toString()
    const pids = (what: string): number[] =>
      [...said.matchAll(new RegExp(`${what} (\\d+)`, 'g'))].map((match) => Number(match[1]))
    const [attendant] = await attendantsOf(host, pids('pid'))
    // Each has become what it is to be.
    await waitUntil(async () =>
      [...pids('nohup'), ...pids('let go')].every(
        (pid) => readFileSync(`/proc/${pid}/comm`, 'latin1') === 'sleep\n',
      ),
    )
    host.kill('SIGKILL')
    await waitUntil(async () => attendant !== undefined && readStat(attendant.pid) === undefined)
    expect(pids('pid').filter(isAlive)).toEqual([])
    // In the terminal, 'let go' was in the foreground: the kernel has told it.
    const left = [...pids('nohup'), ...pids('let go').slice(0, 1)]
    expect(left.filter(isAlive)).toEqual(left)
    for (const pid of left) process.kill(pid, 'SIGKILL')
  })

  it.each([
    ['ends a session that has the start time of the one that it knows', 0, false],
    ["leaves a stranger's session alone that has the number of one of ours", 1, true],
  ])('%s', async (_title, off, stays) => {
    const stranger = await startIn(testJob(), 'echo ready; exec sleep 60')
    await readUntil(stranger, 'ready')
    const leader = readStat(stranger.pid)
    const session = {
      leader: { ...leader, startTime: (leader?.startTime ?? 0) - off },
      given: [readlinkSync(`/proc/${stranger.pid}/fd/1`)],
    }
    const script = `
      const { watchSession } = await import(${JSON.stringify(pathToFileURL('src/process/attendant.ts').href)})
      watchSession(${JSON.stringify(session)})
      console.log('watched')
      setInterval(() => undefined, 1000)`
    const args = ['--import', helper('register-typescript.mjs'), '--input-type=module', '-e', script]
    const host = startProgram(process.execPath, args)
    await host.waitFor(/watched/)
    const [attendant] = await attendantsOf(host, [])
    host.kill('SIGKILL')
    await waitUntil(async () => attendant !== undefined && readStat(attendant.pid) === undefined)
    expect(isAlive(stranger.pid)).toBe(stays)
  })
})
