import { readlinkSync } from 'node:fs'
import { hangUp } from '../../../src/process/hang-up.js'
import { listSessions, readStat } from '../../../src/process/process-tree.js'
import { until } from '../../helpers/bytes.js'
import { readAll, readUntil, startIn, TERMINAL, testJob } from '../../helpers/job-session.js'
import { describeWith } from '../../helpers/needs.js'

const members = async (session: number): Promise<number> => (await listSessions()).get(session)?.length ?? 0

describe('hanging a session up', () => {
  const job = testJob()

  it.each([
    ['on pipes, in whatever group they are', undefined, 'set -m'],
    ['in a terminal', TERMINAL, ''],
  ])(
    'leaves none of its processes that heed nothing or are stopped, %s',
    async (_title, terminal, before) => {
      const script = `${before}
      (trap '' HUP TERM; echo one; while :; do sleep 0.1; done) &
      (trap : HUP TERM; echo two; while :; do sleep 0.1; done) &
      (echo three; kill -STOP $BASHPID) &
      wait; sleep 60`
      const session = await startIn(job, script, { terminal, shells: ['/bin/bash'] })
      let output = ''
      session.stdout.on('data', (chunk: Buffer) => {
        output += chunk
      })
      await until(() => ['one', 'two', 'three'].every((word) => output.includes(word)))
      await session.terminate()
      expect(await members(session.pid)).toBe(0)
      expect(await session.ended).toBeDefined()
    },
  )

  it('leaves who heeds nothing in the background of a terminal only if it has let go of that', async () => {
    const script = `set -m
      (trap '' HUP TERM; exec </dev/null >/dev/null 2>&1; exec sleep 60) &
      while [ "$(readlink /proc/$!/fd/2)" != /dev/null ]; do sleep 0.01; done; echo $! stays
      (trap '' HUP TERM; echo $BASHPID goes; exec sleep 60) &
      (trap '' HUP; echo $BASHPID stays; exec sleep 60) &
      (trap : HUP; echo $BASHPID stays; while :; do sleep 0.1; done) &
      sleep 60`
    const session = await startIn(job, script, { terminal: TERMINAL, shells: ['/bin/bash'] })
    let output = ''
    session.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    await until(() => (output.match(/\d+ \w+\r/g) ?? []).length === 4)
    const pids = (what: string): number[] =>
      [...output.matchAll(new RegExp(`(\\d+) ${what}`, 'g'))].map((match) => Number(match[1]))
    await session.terminate()
    const living = ((await listSessions()).get(session.pid) ?? []).map(({ pid }) => pid)
    expect(pids('stays').filter((pid) => !living.includes(pid))).toEqual([])
    expect(pids('goes').filter((pid) => living.includes(pid))).toEqual([])
  })

  it('gives a process the time to clean up after TERM', async () => {
    const session = await startIn(
      job,
      'exec 2>&-; trap "sleep 0.2 && exit 5" TERM; trap : HUP; echo ready; while :; do sleep 0.02; done',
    )
    await readUntil(session, 'ready')
    await session.terminate()
    expect(await session.ended).toEqual({ exitCode: 5 })
  })

  it('leaves alone what a command left in the background, although it holds the output', async () => {
    const session = await startIn(job, 'sleep 63 & echo ready')
    await readUntil(session, 'ready')
    expect(await session.ended).toEqual({ exitCode: 0 })
    await session.terminate()
    expect(await members(session.pid)).toBe(1)
  })

  it('leaves alone what a command left in the background, once the command and its output have ended', async () => {
    for (const terminal of [undefined, TERMINAL]) {
      const session = await startIn(job, 'trap "" HUP; sleep 62 </dev/null >/dev/null 2>&1 & echo $!', {
        terminal,
      })
      const [output] = await Promise.all([readAll(session.stdout), readAll(session.stderr), session.ended])
      const left = Number(output.toString())
      await session.terminate()
      expect(await members(session.pid)).toBe(1)
      process.kill(left, 'SIGKILL')
    }
  })

  it('can be asked for twice, and after the end', async () => {
    const session = await startIn(job, 'exit 0')
    session.stdout.resume()
    await session.ended
    await Promise.all([session.terminate(), session.terminate()])
    await session.terminate()
  })

  it('does not touch a stranger who got the number of its leader', async () => {
    const stranger = await startIn(job, 'echo ready; read go')
    await readUntil(stranger, 'ready')
    const stat = readStat(stranger.pid)
    if (stat === undefined) throw new Error('The process has ended.')
    const session = {
      leader: { ...stat, startTime: stat.startTime - 1 },
      given: [readlinkSync(`/proc/${stat.pid}/fd/1`)],
    }
    await hangUp(session, new Set([stat.pid]))
    expect(stranger.signal('CONT')).toBe(true)
  })

  describeWith(['setsid'], 'with a process that made a session of its own', () => {
    it('leaves that alone', async () => {
      const session = await startIn(
        job,
        'setsid sleep 60 >/dev/null 2>&1 </dev/null & echo ready $!; sleep 60',
      )
      await readUntil(session, 'ready')
      let survivor: number | undefined
      while (survivor === undefined) {
        const all = [...(await listSessions()).values()].flat()
        survivor = all.find(({ pid, session: id, parent }) => pid === id && parent === session.pid)?.pid
      }
      await session.terminate()
      expect(readStat(survivor)).toBeDefined()
      process.kill(survivor, 'SIGKILL')
    })
  })
})
