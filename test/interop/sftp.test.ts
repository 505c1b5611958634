import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { ASYNCSSH, describeClient, LFTP, PARAMIKO, SCP, SFTP } from '../helpers/clients.js'
import { findPythonWith } from '../helpers/needs.js'
import { HOST, sshOf, writeSshConfig } from '../helpers/openssh.js'
import { type ProgramResult, runProgram, SSHJOB } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

const DONE = { exitCode: 0, signal: null }
const BYTES = 3_000_001

/** A starter whose job works in a folder of its own, and a folder beside it for what is copied. */
function suite() {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)
  const state = { here: '', there: '', data: randomBytes(BYTES) }
  beforeEach(async () => {
    state.here = fs.mkdtempSync(join(user().folder, 'here-'))
    state.there = fs.mkdtempSync(join(user().folder, 'there-'))
    fs.writeFileSync(join(state.here, 'data'), state.data, { mode: 0o640 })
    await start({ cwd: state.there })
  })
  const run = (program: string, args: readonly string[], stdin = ''): Promise<ProgramResult> =>
    runProgram(program, args, { env: user().env, cwd: state.here, stdin })
  return { state, run, user, options: () => ssh.args() }
}

const same = (folder: string, name: string, data: Buffer): boolean =>
  fs.readFileSync(join(folder, name)).equals(data)

describeClient(SFTP, 'files', () => {
  const { state, run, options } = suite()
  const sftp = (batch: string): Promise<ProgramResult> =>
    run('sftp', [...options(), '-q', '-b', '-', HOST], batch)

  it('puts, gets, resumes, lists, and does the rest of its commands', async () => {
    fs.writeFileSync(join(state.here, 'part'), state.data.subarray(0, 1_000_000))
    const batch = `pwd
      put data
      put -p data kept
      reget data part
      get data back
      mkdir d
      rename kept d/kept
      symlink data link
      ln data hard
      chmod 604 data
      cp data copied
      df .
      ls -l
      rm hard
      rmdir nothing-of-that-name
    `
    const result = await sftp(batch)
    expect(result.stdout).toContain(`Remote working directory: ${fs.realpathSync(state.there)}\n`)
    expect(result.stderr).toContain('No such file or directory')
    expect(same(state.there, 'data', state.data)).toBe(true)
    for (const name of ['back', 'part']) expect(same(state.here, name, state.data)).toBe(true)
    expect(same(state.there, 'copied', state.data)).toBe(true)
    expect(fs.statSync(join(state.there, 'd/kept')).mode & 0o777).toBe(0o640)
    expect(fs.statSync(join(state.there, 'data')).mode & 0o777).toBe(0o604)
    expect(fs.readlinkSync(join(state.there, 'link'))).toBe('data')
    expect(fs.existsSync(join(state.there, 'hard'))).toBe(false)
  })

  it('copies a tree of many small files both ways', async () => {
    fs.mkdirSync(join(state.here, 'many'))
    for (let n = 0; n < 500; n++) fs.writeFileSync(join(state.here, `many/${n}`), `content ${n}`)
    expect(await sftp('put -r many\nget -r many back\n')).toMatchObject(DONE)
    for (let n = 0; n < 500; n++) {
      expect(fs.readFileSync(join(state.here, `back/${n}`), 'utf8')).toBe(`content ${n}`)
    }
  })
})

describeClient(SCP, 'over SFTP', () => {
  const { state, run, options } = suite()

  it('copies over SFTP, with a path below the home', async () => {
    const copy = (...args: string[]): Promise<ProgramResult> =>
      run('scp', [...options(), '-q', '-p', ...args])
    expect(await copy('data', `${HOST}:`)).toMatchObject(DONE)
    expect(await copy('-r', `${HOST}:.`, 'back')).toMatchObject(DONE)
    expect(await copy('data', `${HOST}:~/at-home`)).toMatchObject(DONE)
    expect(same(state.there, 'data', state.data)).toBe(true)
    expect(same(state.here, 'back/data', state.data)).toBe(true)
    expect(await copy(`${HOST}:~/at-home`, 'from-home')).toMatchObject(DONE)
    expect(same(state.here, 'from-home', state.data)).toBe(true)
  })
})

describeClient(LFTP, 'files', () => {
  const { state, run, options } = suite()

  it('mirrors a tree both ways', async () => {
    fs.mkdirSync(join(state.here, 'tree/inner'), { recursive: true })
    fs.copyFileSync(join(state.here, 'data'), join(state.here, 'tree/inner/data'))
    const commands = `set sftp:connect-program "ssh -a -x ${options().join(' ')}"
      open sftp://anybody:@${HOST}
      mirror -R --parallel=4 tree ${state.there}/tree
      mirror ${state.there}/tree back`
    expect(await run('lftp', ['--norc', '-c', commands])).toMatchObject(DONE)
    expect(same(state.there, 'tree/inner/data', state.data)).toBe(true)
    expect(same(state.here, 'back/inner/data', state.data)).toBe(true)
  })
})

for (const [client, module, expected] of [
  [
    PARAMIKO,
    'paramiko',
    {
      same: true,
      patched: 'patch',
      size: BYTES + 4,
      link: 'data',
      mode: '0o100604',
      listed: ['data', 'renamed'],
      missing: true,
    },
  ],
  [ASYNCSSH, 'asyncssh', { same: true, files: 100, listed: 102, removed: true, bytes: true }],
] as const) {
  describeClient(client, 'files', () => {
    const { state, run, user } = suite()

    it('copies, lists, links and changes files', async () => {
      await writeSshConfig(user()) // makes the identity
      const keys = join(user().folder, 'run/sshjob/openssh')
      const script = join(process.cwd(), 'test/interop/python', `${module}_sftp.py`)
      const proxy = `${process.execPath} ${SSHJOB} proxy train.job`
      const args = [
        '-W',
        'ignore',
        script,
        proxy,
        join(keys, 'id_ed25519'),
        join(keys, 'known_hosts'),
        state.here,
      ]
      const result = await run(findPythonWith(module) ?? 'python3', args)
      expect(result).toMatchObject({ ...DONE, stderr: '' })
      expect(JSON.parse(result.stdout)).toEqual(expected)
    })
  })
}
