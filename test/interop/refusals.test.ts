import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describeAsRoot, describeWithMounts } from '../helpers/needs.js'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  SSHJOB_SERVER,
  startProgram,
} from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const NO_TERMINAL = /No terminal can be opened[:,] .*[^.]\.\n/

/** Starts the job where no pseudo-terminal can be opened. */
async function startWithoutTerminals(env: NodeJS.ProcessEnv): Promise<RunningProgram> {
  const script = 'mount -t tmpfs none /dev/pts && exec "$@"'
  const starter = [process.execPath, SSHJOB_SERVER, '--job-id', JOB, '--log-level', 'info', '--', 'cat']
  const program = startProgram('unshare', ['-m', 'sh', '-c', script, 'sh', ...starter], { env })
  await program.waitFor(/job started/)
  return program
}

async function end(starter: RunningProgram): Promise<void> {
  starter.child.stdin.end()
  await starter.ended
}

describeWithMounts('where no terminal can be opened', () => {
  const { user } = starterSuite()

  it('the client is told why there is none', async () => {
    const { env } = user()
    const starter = await startWithoutTerminals(env)
    const enter = (...args: string[]): Promise<ProgramResult> => runProgram(SSHJOB, args, { env })
    expect(await enter('-tt', JOB, 'true')).toMatchObject({
      exitCode: 255,
      stdout: '',
      stderr: expect.stringMatching(RegExp(`^sshjob: ${NO_TERMINAL.source}$`)),
    })
    expect(await enter(JOB, 'echo here')).toMatchObject({ exitCode: 0, stdout: 'here\n', stderr: '' })
    await end(starter)
    expect(starter.stderr().toString()).toMatch(
      RegExp(` (warning: session could not be started|info: terminal refused): ${NO_TERMINAL.source}`),
    )
  })
})

describeAsRoot('where no process can be started any more', () => {
  /** One whose processes nobody else has: the limit is one of a user's, getrlimit(2). */
  const UID = 54_399
  const AS_USER = ['--reuid', `${UID}`, '--regid', `${UID}`, '--clear-groups']

  it('the client is told that, and the job goes on', async () => {
    const folder = mkdtempSync('/tmp/sj-')
    mkdirSync(join(folder, 'run'), { mode: 0o700 })
    for (const path of [folder, join(folder, 'run')]) chownSync(path, UID, UID)
    const { PATH, SSHJOB_TEST_RUN } = process.env
    const env = { PATH, SSHJOB_TEST_RUN, SSHJOB_RUNTIME_DIR: join(folder, 'run', 'sshjob') }
    const enter = (): Promise<ProgramResult> =>
      runProgram('setpriv', [...AS_USER, process.execPath, SSHJOB, JOB, 'echo here'], { env, cwd: folder })
    try {
      const args = [
        ...AS_USER,
        process.execPath,
        SSHJOB_SERVER,
        '--job-id',
        JOB,
        '--log-level',
        'info',
        '--',
        'cat',
      ]
      const starter = startProgram('setpriv', args, { env, cwd: folder })
      await starter.waitFor(/job started/)
      const limit = (processes: string): Promise<ProgramResult> =>
        runProgram('setpriv', [...AS_USER, 'prlimit', `--pid=${starter.pid}`, `--nproc=${processes}:`])
      expect(await limit('1')).toMatchObject({ exitCode: 0, stderr: '' })
      expect(await enter()).toMatchObject({
        exitCode: 255,
        stdout: '',
        stderr: expect.stringMatching(
          /^sshjob: The command could not be started in the job: .*resource temporarily unavailable \(EAGAIN\).*\.\n$/,
        ),
      })
      expect(await limit('1000')).toMatchObject({ exitCode: 0, stderr: '' })
      expect(await enter()).toMatchObject({ exitCode: 0, stdout: 'here\n', stderr: '' })
      await end(starter)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
