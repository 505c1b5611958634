import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describeAsRoot } from '../helpers/needs.js'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  SSHJOB_SERVER,
  startProgram,
} from '../helpers/programs.js'

/** Nobody's: in no passwd file. */
const UID = '54321'
const AS_NOBODY = ['--reuid', UID, '--regid', UID, '--clear-groups', process.execPath]

describeAsRoot('a user without an account', () => {
  let folder: string
  let env: NodeJS.ProcessEnv

  beforeAll(() => {
    // Not below a folder of root's: this user could not enter it.
    folder = mkdtempSync('/tmp/sj-')
    mkdirSync(join(folder, 'run'), { mode: 0o700 })
    for (const path of [folder, join(folder, 'run')]) chownSync(path, Number(UID), Number(UID))
    const { PATH, SSHJOB_TEST_RUN } = process.env
    env = { PATH, SSHJOB_TEST_RUN, SSHJOB_RUNTIME_DIR: join(folder, 'run/sshjob') }
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function start(
    more: NodeJS.ProcessEnv = {},
    command = ['cat'],
    cwd = folder,
  ): Promise<RunningProgram> {
    const args = [...AS_NOBODY, SSHJOB_SERVER, '--job-id', 'train', '--log-level', 'info', '--', ...command]
    const starter = startProgram('setpriv', args, { env: { ...env, ...more }, cwd })
    await starter.waitFor(/job started/)
    return starter
  }
  const enter = (args: readonly string[], stdin = ''): Promise<ProgramResult> =>
    runProgram('setpriv', [...AS_NOBODY, SSHJOB, ...args], { env, cwd: folder, stdin })

  async function end(starter: RunningProgram): Promise<void> {
    starter.child.stdin.end()
    expect(await starter.ended).toEqual({ exitCode: 0, signal: null })
  }

  it('starts a job, and runs a command in it, as that user and in no other group', async () => {
    const starter = await start()
    const result = await enter(['train', 'id -u; id -G; pwd; echo $0; exit 3'])
    expect(result).toMatchObject({ exitCode: 3, stderr: '' })
    const [uid, groups, directory, shell] = result.stdout.split('\n')
    expect([uid, groups, directory]).toEqual([UID, UID, folder])
    expect(shell).toMatch(/sh$/)
    await end(starter)
  })

  it('gets a shell with a terminal that is their own', async () => {
    const starter = await start()
    const result = await enter(['-tt', 'train'], 'tty; stat -c %u $(tty); echo a$((1+1))b; exit 4\n')
    expect(result.exitCode).toBe(4)
    expect(result.stdout).toMatch(/^Welcome to /)
    expect(result.stdout).toMatch(/\/dev\/pts\/\d+\r\n/)
    expect(result.stdout).toContain(`\n${UID}\r\n`)
    expect(result.stdout).toContain('a2b\r\n')
    await end(starter)
  })

  it('finds the job in the list, where the number stands for the name', async () => {
    const starter = await start()
    const result = await enter(['ls', '--json'])
    expect(JSON.parse(result.stdout)).toMatchObject([{ id: 'train', user: UID }])
    await end(starter)
  })

  it('enters a job whose folder is gone, whose HOME never was, and whose SHELL is no shell', async () => {
    const cwd = join(folder, 'gone')
    mkdirSync(cwd)
    const starter = await start({ HOME: '/nowhere', SHELL: '/usr/sbin/nologin' }, ['cat'], cwd)
    rmSync(cwd, { recursive: true })
    expect(existsSync(cwd)).toBe(false)
    const command = await enter(['train', 'pwd; ls -d /; echo $HOME'])
    expect(command).toMatchObject({ exitCode: 0, stdout: '/\n/\n/nowhere\n' })
    const shell = await enter(['-tt', 'train'], 'pwd; exit 6\n')
    expect(shell.exitCode).toBe(6)
    await end(starter)
  })
})
