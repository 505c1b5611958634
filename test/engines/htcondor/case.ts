import type { ProgramResult } from '../../helpers/programs.js'
import type { Server } from './comparison.js'
import type { Pool } from './start-pool.js'

export const SSHJOB = ['node', '/opt/sshjob/dist/sshjob.cjs'] as const

/** A program that enters jobs, and what is its own about it. */
export interface Client {
  readonly command: readonly string[]
  readonly options: { readonly verbose: string; readonly wait: string; readonly shells: string }
  /** The options that connect its input and output to the port of condor_shared_port, where the job is. */
  readonly port: readonly string[]
  /** How it tells that SIGKILL has ended the command: with these options, by this exit status and these words. */
  readonly signal: { readonly options: readonly string[]; readonly exitCode: number; readonly said: string }
}

export const CLIENTS = {
  condor_ssh_to_job: {
    command: ['condor_ssh_to_job'],
    options: { verbose: '-debug', wait: '-auto-retry', shells: '-shells' },
    port: ['-ssh', 'ssh -W 127.0.0.1:9618'],
    signal: { options: ['-ssh', 'ssh -v'], exitCode: 255, said: 'rtype exit-signal' },
  },
  sshjob: {
    command: SSHJOB,
    options: { verbose: '-vv', wait: '--wait', shells: '--shells' },
    port: ['-W', '127.0.0.1:9618'],
    signal: { options: [], exitCode: 128 + 9, said: 'sshjob: The remote process was ended by signal KILL.' },
  },
} as const satisfies Record<string, Client>

export interface Context {
  readonly pool: Pool
  readonly client: Client
  readonly server: Server
  /** The configuration of the execution point that makes it the server. */
  readonly settings: string
  /** A job of alice's that runs. */
  readonly job: string
  /** A folder of this machine, for the test. */
  readonly folder: string
}

/** One thing that people do with a client. It rejects where that doesn't work. */
export interface Case {
  /** The row of the table in docs/htcondor.md. */
  readonly title: string
  /** What is seen where it doesn't work, which may depend on the server. */
  readonly symptom?: RegExp | Readonly<Record<Server, RegExp>>
  /** Of this client alone. Default: of all of them. */
  readonly client?: keyof typeof CLIENTS
  run(context: Context): Promise<void>
}

export const SLEEP = ['executable = /bin/sleep', 'transfer_executable = false', 'arguments = 100000'] as const

/** Runs the client as alice. */
export function enter(
  { pool, client }: Context,
  args: readonly string[],
  stdin?: string,
): Promise<ProgramResult> {
  return pool.run('alice', [...client.command, ...args], stdin === undefined ? {} : { stdin })
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
