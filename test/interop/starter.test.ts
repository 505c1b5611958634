import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram, SSHJOB, startProgram, WRAPPER } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

describe('the job under a starter', () => {
  const { user, start } = starterSuite()
  const runJob = (script: string, stdin = '') =>
    runProgram(WRAPPER, ['--job-id', JOB, '-q', '--', 'sh', '-c', script], { env: user().env, stdin })

  it('has the stdin, stdout and stderr of the starter', async () => {
    const result = await runJob('cat; echo err >&2', 'in\n')
    expect(result).toEqual({ exitCode: 0, signal: null, stdout: 'in\n', stderr: 'err\n' })
  })

  it('gives its exit status to the starter, or the signal that ended it', async () => {
    expect(await runJob('exit 7')).toMatchObject({ exitCode: 7, signal: null, stderr: '' })
    expect(await runJob('kill -TERM $$')).toMatchObject({ exitCode: null, signal: 'SIGTERM', stderr: '' })
    expect(await runJob('kill -KILL $$')).toMatchObject({ exitCode: null, signal: 'SIGKILL', stderr: '' })
  })

  it('gets each signal that the starter gets, once', async () => {
    const signals = ['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2'] as const
    const traps = signals.map((name) => `trap 'echo got ${name}' ${name};`).join(' ')
    const starter = await start({
      command: ['sh', '-c', `${traps} echo ready; while :; do read line && exit 3; done`],
    })
    await starter.waitFor(/ready/)
    for (const name of signals) {
      starter.kill(`SIG${name}`)
      await starter.waitFor(new RegExp(`got ${name}\\n`))
    }
    starter.child.stdin.end('end\n')
    expect(await starter.ended).toEqual({ exitCode: 3, signal: null })
    expect(starter.stdout().toString()).toBe(`ready\n${signals.map((name) => `got ${name}\n`).join('')}`)
  })

  it('is not started where it can not be, with a sentence and no socket', async () => {
    const args = ['--job-id', JOB, '--', '/nowhere/program']
    const result = await runProgram(WRAPPER, args, { env: user().env })
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr).toMatch(/^sshjob-server: The job \/nowhere\/program could not be started: /)
    const list = await runProgram(SSHJOB, ['ls', '--json'], { env: user().env })
    expect(JSON.parse(list.stdout)).toEqual([])
  })

  it('keeps its name when others are given the same, which get numbers', async () => {
    await start()
    const others = await Promise.all([1, 2, 3].map(() => start()))
    for (const other of others) {
      expect(other.stderr().toString()).toMatch(
        /Another job that runs here is called train: this one is train-[234]\./,
      )
    }
    const enter = async (id: string) =>
      (await runProgram(SSHJOB, [id, 'echo $SSHJOB_JOB_ID; exit 5'], { env: user().env })).stdout
    const ids = ['train', 'train-2', 'train-3', 'train-4']
    expect(await Promise.all(ids.map(enter))).toEqual(ids.map((id) => `${id}\n`))
  })
})

describe('the end of the job', () => {
  const { user, start } = starterSuite()
  const enter = (...args: string[]) => startProgram(SSHJOB, args, { env: user().env })

  it('ends open sessions at once, and tells them why', async () => {
    const starter = await start({ command: ['sh', '-c', 'read line; exit 4'] })
    const session = enter(JOB, 'echo in; exec sleep 1000')
    await session.waitFor(/in/)
    starter.child.stdin.end('end\n')
    expect(await starter.ended).toEqual({ exitCode: 4, signal: null })
    expect((await session.ended).exitCode).toBe(255)
    expect(session.stderr().toString()).toContain('The job train ended with exit code 4.')
  })

  it('lets sessions go on for as long as --linger says, and ends them then', async () => {
    const starter = await start({ options: ['--linger', '3'], command: ['sh', '-c', 'read line; exit 4'] })
    const short = enter(JOB, 'echo in; sleep 0.3; echo done')
    const long = enter(JOB, 'echo in; exec sleep 1000')
    await Promise.all([short.waitFor(/in/), long.waitFor(/in/)])
    starter.child.stdin.end('end\n')
    expect(await short.ended).toEqual({ exitCode: 0, signal: null })
    expect(short.stdout().toString()).toBe('in\ndone\n')
    expect((await long.ended).exitCode).toBe(255)
    expect(await starter.ended).toEqual({ exitCode: 4, signal: null })
  })

  it('lets sessions go on until they end with --linger forever, and refuses new ones', async () => {
    const starter = await start({
      options: ['--linger', 'forever'],
      command: ['sh', '-c', 'read line; exit 4'],
    })
    const session = enter(JOB, 'echo in; read line; echo $line')
    await session.waitFor(/in/)
    starter.child.stdin.end('end\n')
    await starter.waitFor(/The job train ended with exit code 4\./)
    const late = enter(JOB, 'true')
    expect((await late.ended).exitCode).toBe(255)
    expect(late.stderr().toString()).toContain('The job train ended with exit code 4.')
    session.child.stdin.end('on\n')
    expect(await session.ended).toEqual({ exitCode: 0, signal: null })
    expect(await starter.ended).toEqual({ exitCode: 4, signal: null })
  })
})

describe('the options of the starter', () => {
  const { user, start } = starterSuite()
  const enter = (args: string[], stdin = '') => startProgram(SSHJOB, args, { env: user().env, stdin })

  it('--max-sessions: one more is refused, with a sentence', async () => {
    await start({ options: ['--max-sessions', '1'] })
    const first = startProgram(SSHJOB, [JOB, 'echo in; read line'], { env: user().env })
    await first.waitFor(/in/)
    const second = enter([JOB, 'true'])
    expect((await second.ended).exitCode).toBe(255)
    expect(second.stderr().toString()).toMatch(/All 1 sessions of this job are taken: try again later\./)
    first.child.stdin.end('\n')
    expect((await first.ended).exitCode).toBe(0)
  })

  it('--idle-timeout: a quiet session is ended and told why, a busy one is not', async () => {
    await start({ options: ['--idle-timeout', '1'] })
    const busy = enter([JOB, 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.4; done'])
    const quiet = enter([JOB, 'exec sleep 1000'])
    expect((await quiet.ended).exitCode).toBe(255)
    expect(quiet.stderr().toString()).toContain('was idle for 1 s')
    expect((await busy.ended).exitCode).toBe(0)
  })

  it('--motd FILE greets a shell, and --no-motd does not', async () => {
    const file = join(user().folder, 'motd')
    writeFileSync(file, 'Be kind.\nThere are others.\n')
    const starter = await start({ options: ['--motd', file] })
    const greeted = enter(['-tt', JOB], 'exit 3\n')
    expect(await greeted.ended).toEqual({ exitCode: 3, signal: null })
    expect(greeted.stdout().toString()).toMatch(/^Be kind\.\r\nThere are others\.\r\n/)
    starter.child.stdin.end()
    await starter.ended
    await start({ options: ['--no-motd'] })
    const silent = enter(['-tt', JOB], 'exit 3\n')
    expect((await silent.ended).exitCode).toBe(3)
    expect(silent.stdout().toString()).not.toContain('Welcome')
  })

  it('--shells: the first that is there runs the commands', async () => {
    await start({ options: ['--shells', '/nowhere/sh,bash'] })
    const session = enter([JOB, 'echo $BASH_VERSION'])
    expect((await session.ended).exitCode).toBe(0)
    expect(session.stdout().toString()).toMatch(/^\d+\./)
  })

  it('--listen: the job is reached at this socket, and no other', async () => {
    const socket = join(user().folder, 's')
    await start({ options: ['--listen', `unix:${socket}`] })
    expect((await enter([JOB, 'true']).ended).exitCode).toBe(255)
    const lead = `const s=require("net").connect({path:"${socket}",allowHalfOpen:true});process.stdin.pipe(s);s.pipe(process.stdout)`
    const session = enter(['--proxy-command', `${process.execPath} -e '${lead}'`, JOB, 'echo here; exit 6'])
    expect((await session.ended).exitCode).toBe(6)
    expect(session.stdout().toString()).toBe('here\n')
  })

  it('--log-file: the log goes there, and nothing of it to stderr', async () => {
    const file = join(user().folder, 'log')
    const starter = await start({ options: ['--log-file', file] })
    const session = enter(['--wait=10', JOB, 'echo -n out'])
    expect((await session.ended).exitCode).toBe(0)
    starter.child.stdin.end()
    expect((await starter.ended).exitCode).toBe(0)
    expect(starter.stderr().toString()).toBe('')
    const messages = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(messages).toContainEqual(expect.objectContaining({ msg: 'job started', job: JOB }))
    expect(messages).toContainEqual(expect.objectContaining({ msg: 'client authenticated' }))
  })
})
