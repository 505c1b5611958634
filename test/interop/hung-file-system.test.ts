import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PATH_LOOK_TIMEOUT_MS } from '../../src/core/limits.js'
import { HUNG_MOUNT_NEEDS, type HungMount, hungMount } from '../helpers/hung-mount.js'
import { describeWith } from '../helpers/needs.js'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  startProgram,
} from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const NO_ANSWER = `gave no answer within ${PATH_LOOK_TIMEOUT_MS / 1000} s`

describeWith(HUNG_MOUNT_NEEDS, 'a job on a file system that does not answer', () => {
  const { user, start } = starterSuite()
  let mount: HungMount
  let directory: string

  beforeEach(async () => {
    mount = await hungMount(mkdtempSync(join(user().folder, 'hung-')))
    directory = join(mount.path, 'job')
    mkdirSync(join(mount.source, 'job'))
  })
  // Before the starter is ended: it may not wait for that.
  afterEach(() => mount.end())

  const sshjob = (...args: string[]): Promise<ProgramResult> => runProgram(SSHJOB, args, { env: user().env })
  const open = (...args: string[]): RunningProgram => startProgram(SSHJOB, args, { env: user().env })
  const home = (): string => join(user().folder, 'home')

  it('is entered all the same, elsewhere, and who enters is told; what is open goes on', async () => {
    const starter = await start({ cwd: directory })
    const before = open(JOB, 'pwd; cat')
    await before.waitFor(new RegExp(directory))
    mount.hang()
    const notice = `sshjob-server: ${directory} ${NO_ANSWER}: the session starts in ${home()}.\n`
    // Also a second one, and one in a terminal: each look takes a thread, and there are four.
    const entered = ['pwd', 'pwd', 'pwd', 'pwd', 'pwd', 'pwd'].map((command) => sshjob(JOB, command))
    before.child.stdin.write('still\n')
    await before.waitFor(/still/)
    for (const session of await Promise.all(entered)) {
      expect(session).toEqual({ exitCode: 0, signal: null, stdout: `${home()}\n`, stderr: notice })
    }
    const terminal = await sshjob('-tt', JOB, 'pwd')
    expect(terminal.stdout).toBe(`${notice.trimEnd()}\r\n${home()}\r\n`.replace('sshjob', '\r\nsshjob'))
    // Files elsewhere as well.
    writeFileSync(join(home(), 'file'), 'content')
    expect(await sshjob('cp', `${JOB}:${home()}/file`, join(user().folder, 'copy'))).toMatchObject({
      exitCode: 0,
    })
    expect(readFileSync(join(user().folder, 'copy'), 'utf8')).toBe('content')
    // And once it answers, everybody is where the job is.
    mount.goOn()
    expect(await sshjob(JOB, 'pwd')).toMatchObject({ exitCode: 0, stdout: `${directory}\n`, stderr: '' })
    expect(starter.stderr().toString()).toContain(NO_ANSWER)
  })

  it('gets its signals, and its status is told, while a session waits for the file system', async () => {
    const command = ['sh', '-c', `trap 'exit 7' USR1; echo started; while :; do sleep 0.05; done`]
    const starter = await start({ cwd: '/', command, env: { SHELL: join(mount.path, 'shell') } })
    mount.hang()
    const session = open(JOB, 'true')
    // The look at the shell has begun.
    await starter.waitFor(/client authenticated/)
    starter.kill('SIGUSR1')
    expect(await starter.ended).toEqual({ exitCode: 7, signal: null })
    await session.ended
  })

  it('whose shell is there is entered with another', async () => {
    const shell = join(mount.path, 'shell')
    copyFileSync('/bin/sh', join(mount.source, 'shell'))
    chmodSync(join(mount.source, 'shell'), 0o755)
    await start({ env: { SHELL: shell, PATH: `${mount.path}:/usr/bin:/bin` } })
    expect(await sshjob(JOB, 'readlink /proc/$$/exe')).toMatchObject({ exitCode: 0, stdout: `${shell}\n` })
    mount.hang()
    expect(await sshjob(JOB, 'echo $0')).toEqual({
      exitCode: 0,
      signal: null,
      stdout: '/bin/bash\n',
      stderr: `sshjob-server: ${shell} ${NO_ANSWER}: the shell is /bin/bash.\n`,
    })
  })

  it('whose files are asked for by names from there is asked for no others', async () => {
    const home = join(user().folder, 'home-elsewhere')
    mkdirSync(home)
    writeFileSync(join(home, 'results.txt'), 'of the home directory')
    const file = join(user().folder, 'new')
    writeFileSync(file, 'new')
    await start({ cwd: directory, env: { HOME: home } })
    mount.hang()
    const told = (what: string): object => ({ exitCode: 255, stderr: expect.stringContaining(what) })
    const copies = await Promise.all([
      sshjob('cp', '-q', file, `${JOB}:results.txt`),
      sshjob('cp', '-q', `${JOB}:results.txt`, join(user().folder, 'taken')),
      sshjob('cp', '-q', file, `${JOB}:${join(home, 'elsewhere')}`),
    ])
    expect(copies).toMatchObject([told('does not answer'), told('does not answer'), { exitCode: 0 }])
    expect(readFileSync(join(home, 'results.txt'), 'utf8')).toBe('of the home directory')
    expect(readdirSync(home).sort()).toEqual(['elsewhere', 'results.txt'])
  }, 120_000)

  it('whose HOME and shells are there as well is entered in /', async () => {
    const names = ['one', 'two', 'three', 'four', 'five'].map((name) => join(mount.path, name))
    const shells = ['--shells', names.join(',')]
    await start({
      cwd: directory,
      options: shells,
      env: { HOME: mount.path, SHELL: join(mount.path, 'six') },
    })
    mount.hang()
    const session = await sshjob(JOB, 'pwd')
    expect(session).toMatchObject({ exitCode: 0, stdout: '/\n' })
    expect(session.stderr).toContain(`${names.join(', ')}`)
  })
})
