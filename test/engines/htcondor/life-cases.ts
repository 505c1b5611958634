import { setTimeout as delay } from 'node:timers/promises'
import type { RunningProgram } from '../../helpers/programs.js'
import { type Case, type Context, enter, must, runningJob, SLEEP } from './case.js'
import { APPTAINER } from './images.js'

/** A session in a job of its own that says 'here' and goes on. */
async function openSession(
  context: Context,
  command: string,
): Promise<{ job: string; session: RunningProgram }> {
  const job = await runningJob(context)
  const session = context.pool.start('alice', [...context.client.command, job, command])
  await session.waitFor(/^here$/m)
  return { job, session }
}

/** The numbers of alice's processes, in the whole pool. */
async function processes({ pool }: Context): Promise<readonly string[]> {
  return (await pool.get('root', ['ps', '-u', 'alice', '-o', 'pid='])).split(/\s+/).filter(Boolean)
}

/** What ends the job ends the session, the client, and every process of both. */
async function expectEnd(context: Context, end: (job: string) => readonly string[]): Promise<void> {
  const before = new Set(await processes(context))
  const started = async (): Promise<number> =>
    (await processes(context)).filter((pid) => !before.has(pid)).length
  const { job, session } = await openSession(context, 'echo here; sleep 100000')
  expect(await started()).toBeGreaterThan(0)
  await context.pool.get('alice', end(job))
  expect((await session.ended).exitCode).not.toBe(0)
  while ((await started()) > 0) await delay(200)
}

export const LIFE_CASES: readonly Case[] = [
  {
    title: '`-auto-retry` waits for an idle job',
    run: async (context) => {
      const { pool, client } = context
      const job = await pool.submit('alice', ...SLEEP, 'requirements = false')
      await pool.reaches(job, 'idle')
      const session = pool.start('alice', [...client.command, client.options.wait, job, 'echo here'])
      await session.waitFor(/Waiting for job/)
      await pool.get('alice', ['condor_qedit', job, 'Requirements', 'true'])
      await pool.get('alice', ['condor_reschedule'])
      expect(await session.ended).toMatchObject({ exitCode: 0 })
      expect(session.stdout().toString()).toContain('here\n')
      await pool.get('alice', ['condor_rm', job])
    },
  },
  {
    title: '`condor_rm` ends the session and all of its processes',
    run: (context) => expectEnd(context, (job) => ['condor_rm', job]),
  },
  {
    title: '`condor_hold` does',
    run: async (context) => {
      await expectEnd(context, (job) => ['condor_hold', job])
      await context.pool.get('alice', ['condor_rm', '-constraint', 'JobStatus == 5'])
    },
  },
  {
    title: 'a session outlives `condor_suspend` and `condor_continue`',
    run: async (context) => {
      const { pool } = context
      const { job, session } = await openSession(context, 'echo here; cat; echo "status $?"')
      await pool.get('alice', ['condor_suspend', job])
      await pool.reaches(job, 'suspended')
      await pool.get('alice', ['condor_continue', job])
      await pool.reaches(job, 'running')
      session.child.stdin.end('after\n')
      expect(await session.ended).toMatchObject({ exitCode: 0 })
      expect(session.stdout().toString()).toContain('after\nstatus 0\n')
      await pool.get('alice', ['condor_rm', job])
    },
  },
  {
    title: 'a job of a user whose shell is nologin',
    symptom: /This account is currently not available/,
    run: async ({ pool, client }) => {
      const job = await pool.submit('carol', ...SLEEP)
      await pool.becomesEnterable('carol', job)
      const result = await pool.run('carol', [...client.command, job, 'id -un; exit 7'])
      await pool.get('carol', ['condor_rm', job])
      must(result, { exitCode: 7, stdout: 'carol\n' })
    },
  },
]

/** Moves the programs of OpenSSH that an execution point needs for sshd out of the way, and back. */
async function withoutOpenssh({ pool }: Context, use: () => Promise<void>): Promise<void> {
  const move = (from: string, to: string): Promise<string> =>
    pool.get('root', [
      'sh',
      '-ec',
      `for file in /usr/sbin/sshd /usr/bin/ssh-keygen /usr/lib/openssh/sftp-server; do mv $file${from} $file${to}; done`,
    ])
  await move('', '.away')
  try {
    await use()
  } finally {
    await move('.away', '')
  }
}

export const PLACE_CASES: readonly Case[] = [
  {
    title: 'an execution point without OpenSSH: no sshd, ssh-keygen, sftp-server',
    symptom: /ssh-keygen: not found/,
    run: (context) =>
      withoutOpenssh(context, async () => {
        must(await enter(context, [context.job, 'exit 7']), { exitCode: 7, stdout: '' })
      }),
  },
  {
    title: 'an Apptainer job: commands run in its container',
    run: async (context) => {
      const { pool } = context
      const job = await runningJob(context, ...APPTAINER)
      must(await enter(context, [job, 'cat /in-the-image']), { stdout: 'it is\n' })
      await pool.get('alice', ['condor_rm', job])
    },
  },
]
