import { setTimeout as delay } from 'node:timers/promises'
import type { ProgramResult } from '../../helpers/programs.js'
import { SLEEP, SSHJOB } from './case.js'
import type { Pool, Suite } from './start-pool.js'

export const CASE_MS = 120_000

/** `sshjob` in a pool that starts before the first test does. */
export interface Client {
  readonly suite: Suite
  pool(): Pool
  /** Runs it as alice. */
  sshjob(args: readonly string[], stdin?: string | Buffer): Promise<ProgramResult>
  /** Runs `sshjob htcondor` as root. */
  administer(...args: string[]): Promise<ProgramResult>
  /** A job of alice's that sleeps. */
  queued(...lines: string[]): Promise<string>
}

export function clientIn(suite: Suite, pool: () => Pool): Client {
  return {
    suite,
    pool,
    sshjob: (args, stdin) => pool().run('alice', [...SSHJOB, ...args], stdin === undefined ? {} : { stdin }),
    administer: (...args) => pool().run('root', [...SSHJOB, 'htcondor', ...args]),
    queued: (...lines) => pool().submit('alice', ...SLEEP, ...lines),
  }
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + CASE_MS / 2
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('What was waited for did not come.')
    await delay(200)
  }
}

export async function leavesQueue(pool: Pool, job: string): Promise<void> {
  await until(async () => (await pool.get('alice', ['condor_q', job, '-af', 'ClusterId'])) === '')
}
