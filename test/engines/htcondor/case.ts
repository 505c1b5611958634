import type { ProgramResult } from '../../helpers/programs.js'
import type { Server } from './comparison.js'
import type { Pool } from './start-pool.js'

export interface Context {
  readonly pool: Pool
  readonly server: Server
  /** The configuration of the execution point that makes it the server. */
  readonly settings: string
  /** A job of alice's that runs. */
  readonly job: string
  /** A folder of this machine, for the test. */
  readonly folder: string
}

/** One thing that people do with condor_ssh_to_job. It rejects where that doesn't work. */
export interface Case {
  /** The row of the table in docs/htcondor.md. */
  readonly title: string
  /** What is seen where it doesn't work. */
  readonly symptom?: RegExp
  run(context: Context): Promise<void>
}

export const SLEEP = ['executable = /bin/sleep', 'transfer_executable = false', 'arguments = 100000'] as const

/** Runs condor_ssh_to_job as alice. */
export function enter({ pool }: Context, args: readonly string[], stdin?: string): Promise<ProgramResult> {
  return pool.run('alice', ['condor_ssh_to_job', ...args], stdin === undefined ? {} : { stdin })
}

/** A job of alice's for one case, running. */
export async function runningJob({ pool }: Context, ...lines: readonly string[]): Promise<string> {
  const job = await pool.submit('alice', ...SLEEP, ...lines)
  await pool.becomesEnterable('alice', job)
  return job
}

/** @throws with all that was seen, so that a symptom can be found in it */
export function must(
  { exitCode, stdout, stderr }: ProgramResult,
  expected: { exitCode?: number; stdout: string | RegExp },
): void {
  const matches =
    typeof expected.stdout === 'string' ? stdout === expected.stdout : expected.stdout.test(stdout)
  if (matches && exitCode === (expected.exitCode ?? 0)) return
  throw new Error(`exit status ${exitCode}, stdout: ${stdout}\nstderr: ${stderr}`)
}
