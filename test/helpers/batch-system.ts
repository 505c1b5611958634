import { join } from 'node:path'
import { runProgram, WRAPPER } from './programs.js'
import { SHELLS } from './shells.js'
import type { TestUser } from './starter.js'

const PYTHON = join(process.cwd(), 'test/interop/python')
/** Says which signals it gets, and ends with the status that it is given on stdin; 'stops': also those that stop. */
export const COUNTING_JOB: readonly string[] = ['python3', join(PYTHON, 'counting_job.py')]

type Target = 'pid' | 'group'
/** What batch_system.py does, one after the other; see there. */
export type Step =
  | readonly ['expect' | 'type', string]
  | readonly ['send', Target, number]
  | readonly ['continue', Target, ...'see'[]]
  | readonly ['see' | 'background']
  | readonly ['sleep', number]

/** What the command is started with. */
export interface StartedWith {
  ignored?: readonly number[]
  limits?: Readonly<Record<string, readonly [soft: number, hard: number]>>
  terminal?: boolean
  /** Numbers of descriptors to hand on. */
  pass?: readonly number[]
  /** Python, run last thing before the command. */
  setup?: string
}

/** What a batch system sees of a command: its stops and its end, and what it has written. */
export interface Seen {
  seen: readonly (readonly [string, number?])[]
  stdout: string
  stderr: string
}

/** Runs a command as a batch system does. */
export async function asBatchSystem(
  user: TestUser,
  command: readonly string[],
  steps: readonly Step[],
  start: StartedWith = {},
): Promise<Seen> {
  const spec = JSON.stringify({ command, steps, ...start })
  const { stdout, stderr } = await runProgram('python3', [join(PYTHON, 'batch_system.py'), spec], {
    env: user.env,
  })
  if (stderr !== '') throw new Error(stderr)
  return JSON.parse(stdout)
}

/** The command with sshjob-server in front of it, run by this shell. */
export function wrap(
  shell: readonly string[],
  command: readonly string[],
  options: readonly string[] = [],
): string[] {
  return [...shell, WRAPPER, '--quiet', ...options, '--', ...command]
}

/**
 * What a batch system sees of a command as it is, and with sshjob-server in front of it, by the name of the shell that
 * runs that.
 */
export async function compare(
  user: TestUser,
  command: readonly string[],
  steps: readonly Step[],
  start: StartedWith = {},
): Promise<{ bare: Seen; wrapped: Record<string, Seen>; same: Record<string, Seen> }> {
  const bare = await asBatchSystem(user, command, steps, start)
  const entries = await Promise.all(
    SHELLS.map(
      async ([name, shell]): Promise<[string, Seen]> => [
        name,
        await asBatchSystem(user, wrap(shell, command), steps, start),
      ],
    ),
  )
  return {
    bare,
    wrapped: Object.fromEntries(entries),
    same: Object.fromEntries(SHELLS.map(([name]) => [name, bare])),
  }
}
