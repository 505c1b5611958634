import { dirname } from 'node:path'
import { type ProgramResult, type RunningProgram, runProgram, startProgram } from './programs.js'

/** Programs that see the machine's shared folders for temporary files empty, and have them for themselves. */
export interface OwnMounts {
  /** Runs a line of sh there, as root. @throws Error if it fails */
  sh(line: string): Promise<string>
  sshjob(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<ProgramResult>
  start(program: string, args: readonly string[]): RunningProgram
  startServer(args: readonly string[], env?: NodeJS.ProcessEnv): RunningProgram
}

/** Where the checkout is there: it may be in /tmp. */
const CHECKOUT = '/mnt'

const SET_UP = `
set -e
mount --make-rprivate /
mount --bind "$1" ${CHECKOUT}
for place in /tmp /dev/shm /var/tmp; do mount -t tmpfs -o mode=1777 none $place; done
mkdir -p /run/user
mount -t tmpfs -o mode=755 none /run/user
mkdir -m 700 /run/user/0
echo ready
exec cat
`

/** For a suite of describeWithMounts(): anew for each test. */
export function ownMounts(): () => OwnMounts {
  let keeper: RunningProgram
  beforeEach(async () => {
    keeper = startProgram('unshare', ['-m', 'sh', '-c', SET_UP, 'sh', process.cwd()])
    await keeper.waitFor(/ready/)
  })
  const inside = (args: readonly string[]): string[] => ['-t', String(keeper.pid), '-m', '-w/', ...args]
  const node = (program: string, args: readonly string[]): string[] =>
    inside([process.execPath, `${CHECKOUT}/dist/${program}.cjs`, ...args])
  // Where it is 1, bash of Debian takes a session for a login, and reads what root has in ~/.bashrc.
  const plain = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, SHLVL: '2' }
  return () => ({
    async sh(line) {
      const { exitCode, stdout, stderr } = await runProgram('nsenter', inside(['sh', '-ec', line]))
      if (exitCode !== 0) throw new Error(`${line}: ${stderr}`)
      return stdout
    },
    sshjob: (args, env) => runProgram('nsenter', node('sshjob', args), { env: { ...plain, ...env } }),
    start: (program, args) => startProgram('nsenter', inside([program, ...args])),
    startServer: (args, env) =>
      startProgram('nsenter', node('sshjob-server', args), { env: { ...plain, ...env } }),
  })
}
