import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  type StartOptions,
  startProgram,
} from './programs.js'
import { JOB, type TestUser } from './starter.js'

export const HOST = `${JOB}.job`

/** Runs `sshjob ssh-config` as this user, and keeps what it printed in a file for `ssh -F`. */
export async function writeSshConfig(
  { folder, env }: TestUser,
  options: readonly string[] = [],
): Promise<string> {
  const printed = await runProgram(SSHJOB, ['ssh-config', ...options], { env })
  if (printed.exitCode !== 0) throw new Error(`sshjob ssh-config failed: ${printed.stderr}`)
  const file = join(folder, 'ssh_config')
  writeFileSync(file, printed.stdout)
  return file
}

export interface Ssh {
  /** The arguments of ssh up to the options, for programs that start it themselves. */
  args(...args: string[]): string[]
  run(args: readonly string[], options?: StartOptions): Promise<ProgramResult>
  start(args: readonly string[], options?: StartOptions): RunningProgram
}

/** OpenSSH's client with the configuration that sshjob printed, and no other. For the top of a `describe`. */
export function sshOf(user: () => TestUser): Ssh {
  let config = ''
  beforeAll(async () => {
    config = await writeSshConfig(user())
  })
  const args = (...more: string[]): string[] => ['-F', config, ...more]
  return {
    args,
    run: (more, options) => runProgram('ssh', args(...more), { env: user().env, ...options }),
    start: (more, options) => startProgram('ssh', args(...more), { env: user().env, ...options }),
  }
}

/** The variables of a test's user, as a job takes them: to run a client inside a terminal of our own. */
export function environmentOf({ env }: TestUser): Map<string, Buffer> {
  return new Map(Object.entries(env).map(([name, value]) => [name, Buffer.from(value ?? '')]))
}

/** A command line for a shell. */
export function quoteWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}
