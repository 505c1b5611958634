import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { launchJob } from '../../../src/job/launch-job.js'
import { readUntil, runIn, startIn, TERMINAL, testJob } from '../../helpers/job-session.js'
import { type RunningProgram, startProgram } from '../../helpers/programs.js'

const helper = (name: string): string => join(process.cwd(), 'test/helpers', name)
const HOST = [process.execPath, '--import', helper('register-typescript.mjs'), helper('job-host.ts')]

/** In a session of its own, so that the terminal of whoever runs the tests is not its terminal. */
const launch = (...command: string[]): RunningProgram =>
  startProgram('setsid', ['-w', ...HOST, 'launch', ...command])

describe('a job that is launched', () => {
  it('has our stdin, stdout and stderr, and its exit status is told', async () => {
    const program = launch('sh', '-c', 'cat; echo err >&2; exit 7')
    program.child.stdin.end('in')
    expect(await program.ended).toMatchObject({ exitCode: 7 })
    expect(program.stdout().toString()).toBe('in')
    expect(program.stderr().toString()).toBe('err\n')
  })

  it('gets its signals once, and the one that ends it is told', async () => {
    const program = launch(
      'sh',
      '-c',
      'trap "echo usr1" USR1; echo "pid $PPID"; while :; do sleep 0.02; done',
    )
    await program.waitFor(/pid \d+/)
    const starter = Number(/pid (\d+)/.exec(program.stdout().toString())?.[1])
    process.kill(starter, 'SIGUSR1')
    await program.waitFor(/usr1/)
    process.kill(starter, 'SIGTERM')
    expect(await program.ended).toMatchObject({ exitCode: 143 })
    expect(program.stdout().toString().match(/usr1/g)).toHaveLength(1)
  })

  it('is refused with a sentence when there is no such program', async () => {
    const failure =
      'The job no-such-program could not be started: there is no such program, or it may not be run; check the command after --.'
    await expect(launchJob(['no-such-program'], { id: 'x' })).rejects.toThrow(failure)
    await expect(launchJob([], { id: 'x' })).rejects.toThrow(
      'There is no command to run as the job: name one after --.',
    )
    await expect(launchJob(['/etc/passwd'], { id: 'x' })).rejects.toThrow(
      'The job /etc/passwd could not be started',
    )
    await expect(launchJob(['true'], { id: 'x', directory: '/nowhere' })).rejects.toThrow(
      'The job true could not be started: no such file or directory (ENOENT); check that /nowhere can be entered.',
    )
  })

  it('has processes while it runs, and sessions in its environment', async () => {
    const environment = new Map([
      ['PATH', Buffer.from('/usr/bin:/bin')],
      ['OF_JOB', Buffer.from('yes')],
    ])
    const { job, pid, ended, signal } = await launchJob(['sleep', '60'], {
      id: 'train',
      environment,
      directory: '/usr',
    })
    expect(job).toMatchObject({ id: 'train', command: ['sleep', '60'] })
    expect(job.pids()).toEqual([pid])
    const { stdout } = await runIn(job, 'echo $OF_JOB $SSHJOB_JOB_ID $SSHJOB_JOB_PIDS; pwd')
    expect(stdout).toBe(`yes train ${pid}\n/usr\n`)
    expect(signal('NONE')).toBe(false)
    expect(signal('KILL')).toBe(true)
    expect(await ended).toEqual({ signal: 'KILL', coreDumped: false })
    expect(signal('TERM')).toBe(false)
    expect(job.pids()).toEqual([])
  })

  it('ignores the signals that it is to ignore, and its sessions none', async () => {
    const { job, ended } = await launchJob(['sh', '-c', 'kill -HUP $$; kill -INT $$; exit 5'], {
      id: 'x',
      ignoredSignals: [1, 2],
    })
    expect(await ended).toEqual({ exitCode: 5 })
    for (const name of ['HUP', 'INT', 'PIPE', 'XFSZ']) {
      const { end } = await runIn(job, `kill -${name} $$; exit 5`)
      expect(end).toMatchObject({ signal: name })
    }
  })

  it('has the limit of open files that it is said to have, and so have its sessions', async () => {
    const { job, ended } = await launchJob(['sh', '-c', '[ $(ulimit -Sn) = 900 ]'], {
      id: 'x',
      openFiles: 900,
    })
    expect(await ended).toEqual({ exitCode: 0 })
    expect((await runIn(job, 'ulimit -Sn')).stdout).toBe('900\n')
  })

  it('takes arguments that are not UTF-8', async () => {
    const bytes = Buffer.from('\xff', 'latin1')
    const { ended } = await launchJob(
      ['sh', '-c', '[ "$(printf %s "$1" | od -An -tx1)" = " ff" ]', 'sh', bytes],
      {
        id: 'x',
      },
    )
    expect(await ended).toEqual({ exitCode: 0 })
  })
})

describe('a job that is launched in a terminal', () => {
  const starter = (command: string): string =>
    `exec ${[...HOST, 'launch', 'sh', '-c'].join(' ')} '${command}'`

  it('reads the terminal, and gets Ctrl-C once', async () => {
    const command = 'trap "echo int" INT; echo ready; while :; do read line && echo "got $line"; done'
    const session = await startIn(testJob(), starter(command), { terminal: TERMINAL })
    await readUntil(session, 'ready')
    session.stdin.write('hello\n')
    await readUntil(session, 'got hello')
    session.stdin.write('\x03')
    const first = await readUntil(session, 'int')
    await sleep(300) // for a second one to come
    session.stdin.write('bye\n')
    const rest = await readUntil(session, 'got bye')
    expect(`${first}${rest}`.match(/int/g)).toHaveLength(1)
  })
})

describe('the limit of open files', () => {
  const limits = 'ulimit -Sn; ulimit -Hn'

  it('is what the starter was given, not what Node.js has raised it to', () => {
    const hard = spawnSync('sh', ['-c', 'ulimit -Hn']).stdout.toString().trim()
    const quoted = [...HOST, 'launch', 'sh', '-c'].join(' ')
    const { stdout } = spawnSync('sh', ['-c', `ulimit -Sn 200; ${quoted} '${limits}'; exit $?`])
    expect(stdout.toString()).toBe(`200\n${hard}\n`)
  })

  it('is seen through programs of Node.js in between, and through their shells', () => {
    const inner = [...HOST, 'once', limits].join("','")
    const between = `require('child_process').spawnSync('sh', ['-c', '"$@"; exit $?', 'sh', '${inner}'], { stdio: 'inherit' })`
    const { stdout } = spawnSync('sh', [
      '-c',
      'ulimit -Sn 201; "$@"; exit $?',
      'sh',
      process.execPath,
      '-e',
      between,
    ])
    const { shown } = JSON.parse(stdout.toString())
    for (const { output } of shown) expect(output).toMatch(/^201\r?\n/)
  })
})
