import { setTimeout as delay } from 'node:timers/promises'
import { findProgram } from '../../helpers/needs.js'
import { alternate, type Side } from '../alternate.js'
import type { Bench, Case } from '../bench.js'
import { read, run } from '../processes.js'
import { inMBperS, inMs, inUnits, type Row } from '../report.js'

const POOL = 'test/engines/htcondor/pool'
const MIB = 1024 ** 2
const POLL_MS = 500
const SLEEP = 'executable = /bin/sleep\ntransfer_executable = false\narguments = 100000\nqueue\n'
/** Keys that take no time to make, whoever uses them: HTCondor's own setting makes RSA keys. */
const ED25519 = `SSH_TO_JOB_SSH_KEYGEN_ARGS = "-N '' -C '' -q -f %f -t ed25519"\n`
const SSHJOB = ['node', '/opt/sshjob/dist/sshjob.cjs']

/** A pool of HTCondor, and programs in it. */
interface Pool {
  words(user: 'root' | 'alice', ...command: string[]): [program: string, args: string[]]
  get(user: 'root' | 'alice', ...command: string[]): Promise<string>
}

async function startPool(bench: Bench, suite: string): Promise<Pool> {
  const id = `${suite}:bench-${process.pid}`
  await run(POOL, ['start', id, '--while', String(process.pid)])
  bench.onEnd(() => run(POOL, ['stop', id]))
  const words: Pool['words'] = (user, ...command) => [POOL, ['exec', id, '--user', user, '--', ...command]]
  return { words, get: (user, ...command) => read(...words(user, ...command)) }
}

/** A running job, whose starter has read the configuration as it is now. */
async function startJob(pool: Pool): Promise<string> {
  const submitted = await pool.get(
    'alice',
    'sh',
    '-c',
    `printf '%s' "$1" | condor_submit -terse -`,
    'sh',
    SLEEP,
  )
  const job = submitted.split(' ')[0] ?? ''
  await pool.get('alice', 'condor_ssh_to_job', '-auto-retry', job, 'true')
  return job
}

async function configure(pool: Pool, settings: string): Promise<void> {
  await pool.get('root', 'sh', '-c', `printf '%s' "$1" >/etc/condor/config.d/60-bench`, 'sh', settings)
  await pool.get('root', 'condor_reconfig')
  await delay(POLL_MS)
}

export const htcondor: Case = {
  name: 'htcondor',
  goal: "in a pool of HTCondor 25, a command takes at most sshd's time, and output comes at least as fast",
  async run(bench) {
    if (process.geteuid?.() !== 0 || findProgram('debootstrap') === undefined) {
      console.error('A pool of HTCondor needs root and debootstrap: left out.')
      return []
    }
    const pool = await startPool(bench, 'sid')
    const stock = await startJob(pool)
    await configure(pool, ED25519)
    const sshd = await startJob(pool)
    await pool.get('root', ...SSHJOB, 'htcondor', 'install')
    await configure(pool, '')
    const ours = await startJob(pool)

    const side = (...command: string[]): Side => ({
      server: process.pid,
      work: () => run(...pool.words('alice', ...command)),
    })
    const enter = (job: string, command: string): Side => side('condor_ssh_to_job', job, command)
    const short = await alternate(
      [enter(ours, 'true'), enter(sshd, 'true'), enter(stock, 'true'), side(...SSHJOB, ours, 'true')],
      bench.rounds(20),
    )
    const bytes = bench.bytes(512 * MIB)
    const pour = `dd if=/dev/zero bs=65536 count=${bytes / 65_536} status=none`
    const bulk = await alternate(
      [enter(ours, pour), enter(sshd, pour), side(...SSHJOB, ours, pour)],
      bench.rounds(7),
    )
    return [
      ...commandRows(short.map(({ ms }) => ms)),
      ...bulkRows(
        bytes,
        bulk.map(({ ms }) => ms),
      ),
    ]
  },
}

function commandRows([ours = 0, sshd = 0, stock = 0, client = 0]: number[]): Row[] {
  const row = (what: string, mine: number, peer: number): Row => ({
    what,
    ours: inMs(mine),
    peer: inMs(peer),
    measure: mine / peer,
    goal: { atMost: 1 },
  })
  return [
    row('`condor_ssh_to_job JOB true`, to us and to sshd', ours, stock),
    row('the same, sshd with ed25519 keys as well', ours, sshd),
    row('`sshjob JOB true` to us, `condor_ssh_to_job JOB true` to sshd', client, stock),
    row('the same, sshd with ed25519 keys as well', client, sshd),
  ]
}

function bulkRows(bytes: number, [ours = 0, sshd = 0, client = 0]: number[]): Row[] {
  const row = (what: string, mine: number): Row => ({
    what,
    ours: inMBperS(bytes, mine),
    peer: inMBperS(bytes, sshd),
    measure: sshd / mine,
    goal: { atLeast: 1 },
  })
  return [
    row(`${inUnits(bytes)} out of a command by \`condor_ssh_to_job\``, ours),
    row(`${inUnits(bytes)} out of a command by \`sshjob\`, by condor_ssh_to_job from sshd`, client),
  ]
}
