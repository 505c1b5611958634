import { readdirSync } from 'node:fs'
import { runProgram, SSHJOB } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

describe('a job whose starter was killed', () => {
  const { user, start } = starterSuite()
  const sshjob = (...args: string[]) => runProgram(SSHJOB, args, { env: user().env })
  const files = (): string[] =>
    readdirSync(user().env.SSHJOB_RUNTIME_DIR ?? '').filter((name) => name.startsWith(JOB))

  it('is said to run on, with both processes, until it has ended', async () => {
    const starter = await start({ command: ['sh', '-c', 'echo pid $$; exec sleep 60'] })
    await starter.waitFor(/^pid \d+$/m)
    const [, pid = ''] = /^pid (\d+)$/m.exec(starter.stdout().toString()) ?? []
    expect((await sshjob(JOB, 'true')).exitCode).toBe(0)
    expect(files().sort()).toEqual([`${JOB}.job`, `${JOB}.sock`])
    await kill(starter)
    const sentence = `sshjob: The sshjob-server of job ${JOB} (process ${starter.pid}) was killed, so nobody can enter the job: its process ${pid} runs on.\n`
    for (let round = 0; round < 2; round++) {
      expect(await sshjob(JOB, 'true')).toMatchObject({ exitCode: 255, stdout: '', stderr: sentence })
      expect(await sshjob('--wait=60', JOB, 'true')).toMatchObject({ exitCode: 255, stderr: sentence })
      expect(await sshjob('proxy', `${JOB}.job`)).toMatchObject({ exitCode: 255, stderr: sentence })
      expect(await sshjob('ls', '--json')).toMatchObject({ exitCode: 0, stdout: '[]\n', stderr: sentence })
    }
    expect(files()).toEqual([`${JOB}.job`])
    process.kill(Number(pid))
    await starter.ended
    expect((await sshjob(JOB, 'true')).stderr).toMatch(/^sshjob: No job train of yours runs on this machine /)
    expect(files()).toEqual([])
  })

  it('gives its id to the next one, which can be entered', async () => {
    const killed = await start()
    await sshjob(JOB, 'true')
    await kill(killed)
    await start()
    expect(await sshjob(JOB, 'exit 4')).toMatchObject({ exitCode: 4, stderr: '' })
    expect(await sshjob('ls')).toMatchObject({ exitCode: 0, stderr: '' })
    await killed.ended
  })

  /** Not waiting for the end of its output: the job has that too, but no input any more, which Node.js closes. */
  async function kill(starter: Awaited<ReturnType<typeof start>>): Promise<void> {
    const gone = new Promise((resolve) => starter.child.once('exit', resolve))
    starter.kill('SIGKILL')
    await gone
  }
})
