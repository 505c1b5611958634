import { listSessions, readStat } from '../../../src/job/process-tree.js'
import { endSession } from '../../../src/job/session-end.js'
import { readAll, readUntil, startIn, TERMINAL, testJob } from '../../helpers/job-session.js'
import { describeWith } from '../../helpers/needs.js'

const members = async (session: number): Promise<number> => (await listSessions()).get(session)?.length ?? 0

describe('ending a session', () => {
  const job = testJob()

  it('leaves none of its processes, whatever they ignore and whatever group they are in', async () => {
    const script = `set -m
      (trap '' HUP TERM; echo one; while :; do sleep 0.1; done) &
      (trap '' HUP; echo two; while :; do sleep 0.1; done) &
      (echo three; kill -STOP $BASHPID) &
      wait; sleep 60`
    for (const terminal of [undefined, TERMINAL]) {
      const session = startIn(job, script, { terminal, shells: ['/bin/bash'] })
      const output = await readUntil(session, 'e')
      expect(output).toBeTruthy()
      await session.terminate()
      expect(await members(session.pid)).toBe(0)
      expect(await session.ended).toBeDefined()
    }
  })

  it('gives a process the time to clean up after TERM', async () => {
    const session = startIn(
      job,
      'exec 2>&-; trap "sleep 0.2 && exit 5" TERM; trap "" HUP; echo ready; while :; do sleep 0.02; done',
    )
    await readUntil(session, 'ready')
    await session.terminate()
    expect(await session.ended).toEqual({ exitCode: 5 })
  })

  it('also ends what a command left in the background, if its output is still open', async () => {
    const session = startIn(job, 'trap "" HUP; sleep 60 & echo ready')
    await readUntil(session, 'ready')
    expect(await session.ended).toEqual({ exitCode: 0 })
    expect(await members(session.pid)).toBe(1)
    await session.terminate()
    expect(await members(session.pid)).toBe(0)
  })

  it('leaves alone what a command left in the background, once the command and its output have ended', async () => {
    for (const terminal of [undefined, TERMINAL]) {
      const session = startIn(job, 'trap "" HUP; sleep 62 </dev/null >/dev/null 2>&1 & echo $!', { terminal })
      const [output] = await Promise.all([readAll(session.stdout), readAll(session.stderr), session.ended])
      const left = Number(output.toString())
      await session.terminate()
      expect(await members(session.pid)).toBe(1)
      process.kill(left, 'SIGKILL')
    }
  })

  it('can be asked for twice, and after the end', async () => {
    const session = startIn(job, 'exit 0')
    session.stdout.resume()
    await session.ended
    await Promise.all([session.terminate(), session.terminate()])
    await session.terminate()
  })

  it('does not touch a stranger who got the number of its leader', async () => {
    const stranger = startIn(job, 'echo ready; read go')
    await readUntil(stranger, 'ready')
    const stat = readStat(stranger.pid)
    if (stat === undefined) throw new Error('The process has ended.')
    expect(await endSession({ ...stat, startTime: stat.startTime - 1 })).toBe(true)
    expect(stranger.signal('CONT')).toBe(true)
  })

  describeWith(['setsid'], 'with a process that made a session of its own', () => {
    it('leaves that alone', async () => {
      const session = startIn(job, 'setsid sleep 60 >/dev/null 2>&1 </dev/null & echo ready $!; sleep 60')
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
