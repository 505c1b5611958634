import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listSessions, readStat } from '../../../src/job/process-tree.js'
import { describeWith } from '../../helpers/needs.js'
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
    const children = [...(await listSessions()).values()]
      .flat()
      .filter(({ pid, parent, session }) => parent === host.pid && session === pid)
    const attendants = children.filter(({ pid }) => !sessions.includes(pid))
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

  it('leaves alone what a session that had ended before left in the background', async () => {
    const host = startHost('trap "" HUP; sleep 61 </dev/null >/dev/null 2>&1 & exit 0')
    await host.waitFor(/session \d+\nsession \d+/)
    const sessions = sessionsOf(host)
    // The leaders have gone, and the output has ended: each is forgotten then.
    await waitUntil(async () => {
      const living = [...(await listSessions()).values()].flat()
      return sessions.every((session) => !living.some(({ pid }) => pid === session))
    })
    await sleep(300)
    host.kill('SIGKILL')
    await host.ended
    await sleep(300)
    const living = await listSessions()
    const left = sessions.flatMap((session) => living.get(session) ?? [])
    expect(left).toHaveLength(2)
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
  })
})
