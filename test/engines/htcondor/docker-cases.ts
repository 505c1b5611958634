import { setTimeout as delay } from 'node:timers/promises'
import { type Case, CLIENTS, type Context, enter, must, SLEEP } from './case.js'
import { DOCKER } from './images.js'
import type { Pool } from './start-pool.js'
import { onScreen } from './terminal-cases.js'

/** Of the execution point; there is no such folder in the container. */
const MARKER = '/home/alice/outside'
/** What says whether it was run in the container. */
const WHERE = `cat /in-the-image; : >${MARKER}`

/** Runs a job in a container of Docker's, without any network, which is over when it is removed. */
async function withJob({ pool }: Context, use: (job: string) => Promise<void>): Promise<void> {
  const job = await pool.submit('alice', ...SLEEP, ...DOCKER)
  await pool.becomesEnterable('alice', job)
  await becomesListening(pool)
  try {
    await use(job)
  } finally {
    await pool.get('alice', ['condor_rm', job])
  }
}

/** HTCondor's way into the container is there a moment after the job runs, and no other container job is there now. */
async function becomesListening(pool: Pool): Promise<void> {
  const folder = '/var/lib/condor/execute/dir_*'
  const look = `ls ${folder}/.docker_sock ${folder}/*/.docker_sock 2>/dev/null | grep -q .`
  while ((await pool.run('root', ['sh', '-c', look])).exitCode !== 0) await delay(200)
}

/** Whether WHERE was run on the execution point. */
async function ranOutside(pool: Pool): Promise<boolean> {
  return (await pool.run('alice', ['rm', MARKER])).exitCode === 0
}

export const DOCKER_CASES: readonly Case[] = [
  {
    title: 'a Docker job: a shell in a terminal runs in its container',
    run: (context) =>
      withJob(context, async (job) => {
        await onScreen(context, [...context.client.command, job], async (screen) => {
          await screen.waitFor(/^bash-\S+\$ *$/m)
          screen.enter(`PS1='> '; ${WHERE}; id -u; tty`)
          await screen.waitFor(/^it is$/m)
          await screen.waitFor(/^1000\n\/dev\/pts\/\d+$/m)
          screen.enter('exit')
          await screen.waitFor(/^ended with 0$/m)
        })
        expect(await ranOutside(context.pool)).toBe(false)
      }),
  },
  {
    title: 'a Docker job: commands run in its container',
    symptom: {
      sshd: /^It ran on the execution point\.$/,
      'sshjob-server': /^exit status 255, .*(?:exec request failed|would run the command outside of it)/s,
    },
    run: (context) =>
      withJob(context, async (job) => {
        const result = await enter(context, [job, WHERE])
        if (await ranOutside(context.pool)) throw new Error('It ran on the execution point.')
        // Whatever the status of the command is.
        must(result, { exitCode: 0, stdout: 'it is\n' })
      }),
  },
  {
    title: 'a Docker job: its sessions reach no port of the execution point',
    symptom: /^It was reached\.$/,
    run: (context) =>
      withJob(context, async (job) => {
        const { exitCode, stderr } = await enter(context, [...context.client.port, job], '')
        if (exitCode === 0) throw new Error('It was reached.')
        expect(stderr).toMatch(/administratively prohibited|The other side refused to connect/)
        if (context.client === CLIENTS.sshjob) {
          const copied = await enter(context, ['cp', `${job}:/etc/hosts`, 'hosts'])
          expect(copied.stderr).toMatch(/offers no file transfer|has closed the file transfer/)
        }
      }),
  },
]
