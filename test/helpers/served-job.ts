import { join } from 'node:path'
import { type RunningProgram, runProgram, SSHJOB, SSHJOB_SERVER, startProgram } from './programs.js'

/** A job that runs under sshjob-server until its standard input is closed, which the end of the test does. */
export interface ServedJob {
  readonly id: string
  /** What a program needs to find it. */
  readonly env: NodeJS.ProcessEnv
  readonly server: RunningProgram
  /** Ends the job, and the server with it. */
  stop(): Promise<void>
}

/** Our own environment, with jobs looked for in this folder. */
export function environmentFor(runtimeDirectory: string): NodeJS.ProcessEnv {
  return { ...process.env, SSHJOB_RUNTIME_DIR: join(runtimeDirectory, 'sshjob') }
}

/** Starts a job in a runtime directory of the test's own, and waits until it can be entered. */
export async function serveJob(
  runtimeDirectory: string,
  id: string,
  ...options: string[]
): Promise<ServedJob> {
  const env = environmentFor(runtimeDirectory)
  const server = startProgram(SSHJOB_SERVER, ['--job-id', id, '--quiet', ...options, '--', 'cat'], { env })
  const { exitCode, stderr } = await runProgram(SSHJOB, ['-q', '--wait=20', id, 'true'], { env })
  if (exitCode !== 0) throw new Error(`The job can't be entered: ${stderr}${server.stderr()}`)
  return {
    id,
    env,
    server,
    async stop() {
      server.child.stdin.end()
      await server.ended
    },
  }
}
