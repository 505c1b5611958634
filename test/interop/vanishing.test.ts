import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { until } from '../helpers/bytes.js'
import { startIn, TERMINAL, testJob } from '../helpers/job-session.js'
import { describeWith } from '../helpers/needs.js'
import { environmentOf, HOST, quoteWords, sshOf } from '../helpers/openssh.js'
import { expectGone, isAlive } from '../helpers/processes.js'
import { type RunningProgram, runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { JOB, killStarter, starterSuite } from '../helpers/starter.js'

/**
 * A session of four processes: its shell, one that heeds nothing short of KILL, one in the background, and one that
 * does its work without looking. It says their pids.
 */
const STUBBORN = [
  `sh -c 'trap "" HUP TERM INT; echo pid $$; while :; do sleep 0.1; done' &`,
  `sleep 1000 & echo pid $!;`,
  `sh -c 'echo pid $$; exec sleep 1000' & echo pid $$; wait; sleep 1000`,
].join(' ')

const COMPLETE = /(pid \d+\r?\n[\s\S]*){4}/

function pidsIn(output: string): number[] {
  const pids = [...output.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  expect(pids).toHaveLength(4)
  return pids
}

async function enter(program: RunningProgram): Promise<number[]> {
  await program.waitFor(COMPLETE)
  const pids = pidsIn(program.stdout().toString())
  expect(pids.filter(isAlive)).toEqual(pids)
  return pids
}

describe('a client that vanishes', () => {
  const { user, start } = starterSuite()

  it.each([
    ['without a terminal', ['-T']],
    ['with a terminal', ['-tt']],
  ])('leaves no process of its session, %s', async (_how, options) => {
    const starter = await start()
    const session = startProgram(SSHJOB, [...options, JOB, STUBBORN], { env: user().env })
    const pids = await enter(session)
    session.kill('SIGKILL')
    await Promise.all(pids.map(expectGone))
    await starter.waitFor(/code=connection-lost/)
    expect((await runProgram(SSHJOB, [JOB, 'exit 5'], { env: user().env })).exitCode).toBe(5)
  })

  it('leaves no process of its session when its terminal goes with it', async () => {
    await start()
    const command = quoteWords([process.execPath, SSHJOB, '-t', JOB, STUBBORN])
    const session = await startIn(testJob({ environment: environmentOf(user()) }), `exec ${command}`, {
      terminal: TERMINAL,
    })
    let output = ''
    session.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1')
    })
    await until(() => COMPLETE.test(output))
    const pids = pidsIn(output)
    expect(pids.filter(isAlive)).toEqual(pids)
    await session.terminate()
    await Promise.all(pids.map(expectGone))
  })
})

describeWith(['ssh'], 'ssh that vanishes', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  it.each([
    ['without a terminal', '-T'],
    ['with a terminal', '-tt'],
  ])('leaves no process of its session, %s', async (_how, option) => {
    await start()
    const session = ssh.start([option, HOST, STUBBORN])
    const pids = await enter(session)
    session.kill('SIGKILL')
    await Promise.all(pids.map(expectGone))
  })
})

describe('a starter that is killed', () => {
  const { user, start } = starterSuite()
  const socket = (): string => join(user().folder, 'run/sshjob', `${JOB}.sock`)

  it.each([
    ['without a terminal', ['-T']],
    ['with a terminal', ['-tt']],
  ])('leaves no process of its sessions, and tells its clients, %s', async (_how, options) => {
    const starter = await start()
    const session = startProgram(SSHJOB, [...options, JOB, STUBBORN], { env: user().env })
    const pids = await enter(session)
    await killStarter(starter)
    expect((await session.ended).exitCode).toBe(255)
    expect(session.stderr().toString()).toMatch(/^sshjob: The connection /m)
    await Promise.all(pids.map(expectGone))
  })

  it("leaves neither the agent's socket nor the display's cookie", async () => {
    const starter = await start()
    const env = { ...user().env, SSH_AUTH_SOCK: join(user().folder, 'agent'), DISPLAY: ':7' }
    const session = startProgram(SSHJOB, ['-A', '-Y', JOB, 'ls $SSH_AUTH_SOCK; ls $XAUTHORITY; cat'], { env })
    await session.waitFor(/^\/.*\/agent\n\/.*\/Xauthority\n/)
    const folders = session.stdout().toString().trim().split('\n').map(dirname)
    expect(folders.filter(existsSync)).toEqual(folders)
    await killStarter(starter)
    await until(() => !folders.some(existsSync))
    await session.ended
  })

  it('leaves a socket that is not listed, and taken away', async () => {
    await killStarter(await start())
    expect(existsSync(socket())).toBe(true)
    const list = await runProgram(SSHJOB, ['ls', '--json'], { env: user().env })
    expect(JSON.parse(list.stdout)).toEqual([])
    expect(existsSync(socket())).toBe(false)
    const session = await runProgram(SSHJOB, [JOB, 'true'], { env: user().env })
    expect(session.stderr).toContain('No job train of yours runs on this machine')
  })

  it('leaves its name to the next starter at once', async () => {
    await killStarter(await start())
    await start()
    const session = await runProgram(SSHJOB, [JOB, 'exit 6'], { env: user().env })
    expect(session.exitCode).toBe(6)
  })
})
