import { readdirSync } from 'node:fs'
import { serverOf } from '../helpers/processes.js'
import { runProgram, SSHJOB } from '../helpers/programs.js'
import { JOB, killStarter, starterSuite } from '../helpers/starter.js'

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
    const server = serverOf(starter.pid)
    await killStarter(starter)
    const sentence = `sshjob: The sshjob-server of job ${JOB} (process ${server}) was killed, so nobody can enter the job: its process ${pid} runs on.\n`
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
    await killStarter(killed)
    await start()
    expect(await sshjob(JOB, 'exit 4')).toMatchObject({ exitCode: 4, stderr: '' })
    expect(await sshjob('ls')).toMatchObject({ exitCode: 0, stderr: '' })
    killed.child.stdin.end()
    await killed.ended
  })
})
