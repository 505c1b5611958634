import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramResult, runProgram, SSHJOB } from '../helpers/programs.js'

/** What test/shim/build-once.mjs has built. */
export const shimFor = (arch: string): string => join(process.env.SSHJOB_TEST_SHIMS ?? '', `linux-${arch}`)
export const IN_ROOT = join(process.cwd(), 'test/shim/in-root')
/** Where in-root mounts the shim. */
export const MOUNTED = '/opt/sshjob'

/** A root file system in which there is nothing, not even a shell. */
export function emptyRoot(root: string): string {
  for (const directory of ['opt/sshjob', 'proc', 'dev', 'tmp'])
    mkdirSync(join(root, directory), { recursive: true })
  return root
}

/** Runs a command in a root file system, with what in-root puts there. */
export function runIn(
  root: string,
  has: 'none' | 'devices' | 'no-proc',
  command: readonly string[],
  shim = shimFor(process.arch),
): Promise<ProgramResult> {
  return runProgram(IN_ROOT, [shim, root, has, ...command], { env: { PATH: process.env.PATH } })
}

interface Session {
  options?: readonly string[]
  stdin?: string
}

/** Runs sshjob through a command that serves one connection on its input and output. */
export function through(
  server: readonly string[],
  command: readonly string[],
  { options = [], stdin = '' }: Session = {},
): Promise<ProgramResult> {
  const { PATH, SSHJOB_TEST_RUN } = process.env
  const args = ['--proxy-command', server.join(' '), ...options, 'here', ...command]
  return runProgram(SSHJOB, args, {
    env: { PATH, SSHJOB_TEST_RUN, HOME: '/nonexistent', TERM: 'xterm' },
    stdin,
  })
}

/** Commands, a shell, a terminal and an exit status: what a session is. */
export async function expectSessions(server: readonly string[]): Promise<void> {
  expect(await through(server, ['echo out; echo err >&2; cat; exit 7'], { stdin: 'in' })).toMatchObject({
    exitCode: 7,
    stdout: 'out\nin',
    stderr: 'err\n',
  })
  const terminal = { options: ['-tt'] }
  expect(await through(server, ['tty; stty size; exit 3'], terminal)).toMatchObject({
    exitCode: 3,
    stdout: expect.stringMatching(/^\/dev\/pts\/\d+\r\n24 80\r\n$/),
  })
  const typed = { ...terminal, stdin: 'PS1=; tty; echo $((6 * 7)); exit 5\n' }
  expect(await through(server, [], typed)).toMatchObject({
    exitCode: 5,
    stdout: expect.stringMatching(/^\/dev\/pts\/\d+\r\n42\r\n/m),
  })
}
