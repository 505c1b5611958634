import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '../helpers/needs.js'
import { type ProgramResult, runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const DONE = { exitCode: 0, signal: null }

/**
 * A job, and a folder of its own in which the job has another one, with a program called sshjob first in PATH: what
 * programs start in the place of ssh. In `here` and `there` is what each side has.
 */
function suite() {
  const { user, start } = starterSuite()
  const place = { here: '', there: '', env: {} as NodeJS.ProcessEnv }
  beforeEach(async () => {
    const { folder, env } = user()
    const base = join(folder, `case${readdirSync(folder).length}`)
    Object.assign(place, { here: join(base, 'here'), there: join(base, 'there') })
    const bin = join(base, 'bin')
    for (const directory of [base, place.here, place.there, bin]) mkdirSync(directory)
    writeFileSync(join(bin, 'sshjob'), `#!/bin/sh\nexec ${process.execPath} ${SSHJOB} "$@"\n`, {
      mode: 0o755,
    })
    place.env = { ...env, PATH: `${bin}:${process.env.PATH}` }
    await start({ cwd: place.there })
  })
  const run = (
    command: string,
    args: readonly string[],
    more: NodeJS.ProcessEnv = {},
  ): Promise<ProgramResult> => runProgram(command, args, { cwd: place.here, env: { ...place.env, ...more } })
  return { user, place, run }
}

describeWith(['git'], 'git, with sshjob in the place of ssh', () => {
  const { place, run } = suite()
  const GIT = ['-c', 'user.name=me', '-c', 'user.email=me@example.org', '-c', 'init.defaultBranch=main']
  const SSH = { GIT_SSH_COMMAND: 'sshjob' }

  it.each([
    ['the name alone', () => `${JOB}:${place.there}/repository`],
    ['a user and a URL', () => `ssh://me@${JOB}:22${place.there}/repository`],
  ])('clones from a job and pushes to it, by %s', async (_how, address) => {
    expect(await run('git', [...GIT, 'init', '-q', '--bare', `${place.there}/repository`])).toMatchObject(
      DONE,
    )
    expect(await run('git', [...GIT, 'clone', '-q', address(), 'copy'], SSH)).toMatchObject(DONE)
    expect(
      await run('git', [...GIT, '-C', 'copy', 'commit', '-q', '--allow-empty', '-m', 'one']),
    ).toMatchObject(DONE)
    expect(await run('git', [...GIT, '-C', 'copy', 'push', '-q', 'origin', 'HEAD'], SSH)).toMatchObject(DONE)
    expect((await run('git', ['-C', `${place.there}/repository`, 'log', '--format=%s'])).stdout).toBe('one\n')
  })

  it('is taken for OpenSSH, whose options git then uses: the second version of its protocol', async () => {
    await run('git', [...GIT, 'init', '-q', '--bare', `${place.there}/repository`])
    const traced = await run('git', ['ls-remote', `${JOB}:${place.there}/repository`], {
      ...SSH,
      GIT_TRACE_PACKET: '1',
      GIT_TRACE: '1',
    })
    expect(traced.exitCode).toBe(0)
    expect(traced.stderr).toContain("sshjob -o SendEnv=GIT_PROTOCOL train 'git-upload-pack")
    expect(traced.stderr).toMatch(/packet: .*< version 2/)
  })
})

describeWith(['rsync'], 'rsync, with sshjob in the place of ssh', () => {
  const { place, run } = suite()

  it('copies a tree into a job and back', async () => {
    mkdirSync(join(place.here, 'tree/sub'), { recursive: true })
    writeFileSync(join(place.here, 'tree/sub/a b'), 'content')
    const RSH = { RSYNC_RSH: 'sshjob' }
    expect(await run('rsync', ['-a', 'tree/', `${JOB}:copy/`], RSH)).toMatchObject({ ...DONE, stderr: '' })
    expect(readFileSync(join(place.there, 'copy/sub/a b'), 'utf8')).toBe('content')
    expect(await run('rsync', ['-az', '-e', 'sshjob -q -p 22 -l me', `${JOB}:copy/`, 'back'])).toMatchObject({
      ...DONE,
      stderr: '',
    })
    expect(readFileSync(join(place.here, 'back/sub/a b'), 'utf8')).toBe('content')
  })

  it('is told who it is in the job, when it names another', async () => {
    const { stderr } = await run('rsync', ['-a', '-e', 'sshjob', `nobody-here@${JOB}:.`, 'back'])
    expect(stderr).toMatch(/^sshjob: Sessions of job train run as \S+, not as nobody-here\.\n$/)
  })
})

describeWith(['scp', 'sftp'], 'scp and sftp, with sshjob in the place of ssh', () => {
  const { place, run } = suite()

  it.each([
    ['over SFTP', []],
    ['by the job’s scp', ['-O']],
  ])('copy a file into a job and back, %s', async (_how, options) => {
    writeFileSync(join(place.here, 'file'), 'content')
    const program = join(place.env.PATH?.split(':')[0] ?? '', 'sshjob')
    expect(
      await run('scp', [...options, '-q', '-S', program, 'file', `${JOB}:${place.there}/up`]),
    ).toMatchObject(DONE)
    expect(
      await run('scp', [...options, '-q', '-S', program, `me@${JOB}:${place.there}/up`, 'back']),
    ).toMatchObject(DONE)
    expect(readFileSync(join(place.here, 'back'), 'utf8')).toBe('content')
  })

  it('list a folder', async () => {
    writeFileSync(join(place.there, 'seen'), '')
    const program = join(place.env.PATH?.split(':')[0] ?? '', 'sshjob')
    const sftp = startProgram('sftp', ['-q', '-b', '-', '-S', program, `${JOB}:${place.there}`], {
      cwd: place.here,
      env: place.env,
      stdin: 'ls\n',
    })
    expect(await sftp.ended).toEqual(DONE)
    expect(sftp.stdout().toString()).toContain('seen')
  })
})

describeWith(['sshfs', 'fusermount3', 'device:/dev/fuse'], 'sshfs, with sshjob in the place of ssh', () => {
  const { place, run } = suite()

  it('mounts a folder of a job', async () => {
    writeFileSync(join(place.there, 'seen'), 'content')
    mkdirSync(join(place.here, 'mount'))
    // Its sshjob outlives it by a moment, in which it would keep what V8 has compiled: where nothing can be kept.
    const args = ['-o', 'ssh_command=sshjob', `${JOB}:${place.there}`, 'mount']
    const mounted = await run('sshfs', args, { HOME: '/dev/null' })
    try {
      expect(mounted).toMatchObject({ ...DONE, stderr: '' })
      expect((await run('cat', ['mount/seen'])).stdout).toBe('content')
      expect(await run('sh', ['-c', 'echo new >mount/made'])).toMatchObject(DONE)
      expect(readFileSync(join(place.there, 'made'), 'utf8')).toBe('new\n')
    } finally {
      execFileSync('fusermount3', ['-u', join(place.here, 'mount')])
    }
  })
})

describeWith(['unison'], 'unison, with sshjob in the place of ssh', () => {
  const { place, run } = suite()

  it('brings both sides to the same, with and without a user', async () => {
    for (const [round, host] of [JOB, `me@${JOB}`].entries()) {
      writeFileSync(join(place.here, `ours${round}`), 'ours')
      writeFileSync(join(place.there, `theirs${round}`), 'theirs')
      const args = ['-batch', '-silent', '-sshcmd', 'sshjob', place.here, `ssh://${host}/${place.there}`]
      expect(await run('unison', args)).toMatchObject(DONE)
      expect(readFileSync(join(place.there, `ours${round}`), 'utf8')).toBe('ours')
      expect(readFileSync(join(place.here, `theirs${round}`), 'utf8')).toBe('theirs')
    }
  })
})

describeWith(['borg'], 'borg, with sshjob in the place of ssh', () => {
  const { place, run } = suite()

  it('backs up into a job, and gets it back', async () => {
    writeFileSync(join(place.here, 'file'), 'content')
    const env = { BORG_RSH: 'sshjob', BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' }
    const repository = `me@${JOB}:${place.there}/backup`
    expect(await run('borg', ['init', '-e', 'none', repository], env)).toMatchObject(DONE)
    expect(await run('borg', ['create', `${repository}::first`, 'file'], env)).toMatchObject(DONE)
    expect((await run('borg', ['extract', '--stdout', `${repository}::first`, 'file'], env)).stdout).toBe(
      'content',
    )
  })
})

describe('a subsystem', () => {
  const { run } = suite()

  it('that there is not is refused with a sentence', async () => {
    expect(await run('sshjob', ['-s', JOB, 'frobnicate'])).toMatchObject({
      exitCode: 255,
      stdout: '',
      stderr: 'sshjob: The server has no such subsystem.\n',
    })
  })
})
