import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeClient, GIT, RSYNC, SCP } from '../helpers/clients.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { type ProgramResult, runProgram } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

const suite = (): { folder: (name: string) => string; run: Run; options: () => string[] } => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)
  beforeEach(() => start())
  return {
    folder(name) {
      const path = join(user().folder, name)
      mkdirSync(path)
      return path
    },
    options: () => ssh.args(),
    // These programs split it at spaces; a temporary folder with one in its name would need more.
    run: (program, args, env = {}) =>
      runProgram(program, args, { env: { ...user().env, SSH: `ssh ${ssh.args().join(' ')}`, ...env } }),
  }
}

type Run = (program: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<ProgramResult>
const DONE = { exitCode: 0, stderr: '' }

describeClient(RSYNC, 'files', () => {
  const { folder, run } = suite()

  it('copies a tree into the job and back', async () => {
    const [here, there, back] = [folder('here'), folder('there'), folder('back')]
    const data = randomBytes(3_000_000)
    writeFileSync(join(here, 'a file'), data, { mode: 0o640 })
    writeFileSync(join(here, 'empty'), '')
    const copy = (from: string, to: string) =>
      run('sh', ['-c', 'exec rsync -a -e "$SSH" "$1/" "$2"', 'sh', from, to])
    expect(await copy(here, `${HOST}:${there}`)).toMatchObject(DONE)
    expect(await copy(`${HOST}:${there}`, back)).toMatchObject(DONE)
    expect(readFileSync(join(back, 'a file')).equals(data)).toBe(true)
    expect(readFileSync(join(back, 'empty')).length).toBe(0)
  })
})

describeClient(GIT, 'repositories', () => {
  const { folder, run } = suite()

  it('clones from the job and pushes to it', async () => {
    const [work, copy] = [folder('work'), folder('copy')]
    const script = `set -e
      export GIT_SSH_COMMAND="$SSH" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
      git() { command git -c user.name=n -c user.email=e@example.org -c init.defaultBranch=main "$@"; }
      git init -q "$1"; cd "$1"; seq 1 20000 > numbers; git add numbers; git commit -q -m one
      git clone -q ${HOST}:"$1" "$2/it"; cd "$2/it"; echo more >> numbers; git commit -q -a -m two
      git push -q origin HEAD:refs/heads/pushed
      git -C "$1" log -1 --format=%s pushed`
    const result = await run('sh', ['-c', script, 'sh', work, copy])
    expect(result).toMatchObject({ ...DONE, stdout: 'two\n' })
  })
})

describeClient(SCP, 'its old protocol (-O)', () => {
  const { folder, run, options } = suite()

  it('copies a file into the job and back, where the job has scp', async () => {
    const [here, there] = [folder('here'), folder('there')]
    const data = randomBytes(2_000_000)
    writeFileSync(join(here, 'x'), data)
    const copy = (from: string, to: string) => run('scp', ['-O', '-q', ...options(), from, to])
    expect(await copy(join(here, 'x'), `${HOST}:${there}/y`)).toMatchObject(DONE)
    expect(await copy(`${HOST}:${there}/y`, join(here, 'z'))).toMatchObject(DONE)
    expect(readFileSync(join(here, 'z')).equals(data)).toBe(true)
  })
})
