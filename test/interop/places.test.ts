import { describeWithMounts } from '../helpers/needs.js'
import { ownMounts } from '../helpers/own-mounts.js'
import type { RunningProgram } from '../helpers/programs.js'

/** What a process may have of the two variables, by where it was started. */
const ENVIRONMENTS: readonly (readonly [who: string, environment: NodeJS.ProcessEnv])[] = [
  ['cron', {}],
  ['a login', { XDG_RUNTIME_DIR: '/run/user/0' }],
  ['a batch system', { TMPDIR: '/run/user/scratch/job.1' }],
  ['another job of it', { TMPDIR: '/run/user/scratch/job.2', XDG_RUNTIME_DIR: '/run/user/scratch/job.2' }],
  ['su', { XDG_RUNTIME_DIR: '/run/user/54321' }],
  ['what is gone', { TMPDIR: '/run/user/scratch/gone', XDG_RUNTIME_DIR: '/run/user/scratch/gone' }],
]

describeWithMounts('a job and who looks for it', () => {
  const mounts = ownMounts()

  beforeEach(() =>
    mounts().sh(
      `mkdir -m 700 /run/user/scratch /run/user/scratch/job.1 /run/user/scratch/job.2 /run/user/54321
       chown 54321:54321 /run/user/54321`,
    ),
  )

  function start(id: string, env?: NodeJS.ProcessEnv): RunningProgram {
    return mounts().startServer(['--job-id', id, '--', 'cat'], env)
  }
  async function stop(...starters: RunningProgram[]): Promise<void> {
    for (const starter of starters) {
      starter.child.stdin.end()
      expect(await starter.ended).toEqual({ exitCode: 0, signal: null })
    }
  }
  const sockets = async (): Promise<string[]> =>
    (await mounts().sh('find /tmp /dev/shm /var/tmp /run/user -name "*.sock" | sort'))
      .split('\n')
      .filter(Boolean)

  it.each(ENVIRONMENTS)('meet, one being started by %s, whatever started the other', async (_who, env) => {
    const starter = start('train', env)
    for (const [who, other] of ENVIRONMENTS) {
      const { exitCode, stderr } = await mounts().sshjob(['-q', '--wait=20', 'train', 'exit 7'], other)
      expect({ who, exitCode, stderr }).toEqual({ who, exitCode: 7, stderr: '' })
      const { stdout } = await mounts().sshjob(['ls', '--json'], other)
      expect(JSON.parse(stdout)).toMatchObject([{ id: 'train' }])
    }
    await stop(starter)
    expect(await sockets()).toEqual([])
  })

  it('are two that can not have one id, however they were started', async () => {
    const starters = [start('train', ENVIRONMENTS[1]?.[1]), start('train', ENVIRONMENTS[2]?.[1])]
    await Promise.all(starters.map((starter) => starter.waitFor(/To enter this job/)))
    expect(await sockets()).toEqual(['/tmp/sshjob-0/train-2.sock', '/tmp/sshjob-0/train.sock'])
    expect(starters.map(({ stderr }) => stderr().toString()).join('')).toContain(
      'Another job that runs here is called train: this one is train-2.',
    )
    await stop(...starters)
  })

  it.each([
    ['somebody else has made', 'mkdir -m 700 /tmp/sshjob-0 && chown 54321 /tmp/sshjob-0'],
    ['somebody else has opened for all', 'mkdir -m 777 /tmp/sshjob-0 && chown 54321 /tmp/sshjob-0'],
    [
      'leads to a place of ours',
      'mkdir -m 700 /run/user/mine; ln -s /run/user/mine /tmp/sshjob-0; chown -h 54321 /tmp/sshjob-0',
    ],
    ['lies where others may replace it', 'chmod 777 /tmp'],
    ['lies in a folder of somebody else', 'chown 54321 /tmp'],
    ['can not be written to', 'mount -o remount,ro /tmp'],
    ['can not hold more', 'mount -o remount,nr_inodes=1 /tmp'],
    ['has no room for a name of the socket', 'mkdir -m 700 /tmp/sshjob-0; mount -o remount,nr_inodes=3 /tmp'],
  ])('meet in the next place, the first being one that %s', async (_what, spoil) => {
    await mounts().sh(spoil)
    const before = await mounts().sh('ls -lAR /tmp')
    const starter = start('train', { TMPDIR: '/run/user/scratch/job.1' })
    const end = await mounts().sshjob(['-q', '--wait=20', 'train', 'exit 7'])
    expect(end).toMatchObject({ exitCode: 7, stderr: '' })
    expect(await sockets()).toEqual(['/dev/shm/sshjob-0/train.sock'])
    expect(await mounts().sh('ls -lAR /tmp')).toBe(before)
    await stop(starter)
  })

  it('meet each other, and not somebody else who listens in the first place by the name of the job', async () => {
    await mounts().sh('mkdir -m 777 /tmp/sshjob-0; chown 54321 /tmp/sshjob-0')
    const listen =
      "require('net').createServer((s) => s.end('sshjob-hello/1 {}\\n')).listen('/tmp/sshjob-0/train.sock', () => console.log('up'))"
    const other = mounts().start('setpriv', [
      '--reuid',
      '54321',
      '--clear-groups',
      process.execPath,
      '-e',
      listen,
    ])
    await other.waitFor(/up/)
    const starter = start('train')
    const end = await mounts().sshjob(['-q', '--wait=20', 'train', 'exit 7'])
    expect(end).toMatchObject({ exitCode: 7, stderr: '' })
    await stop(starter)
    other.kill()
    await other.ended
  })

  it('meet where the job of an earlier one still is, once there is room in the first', async () => {
    await mounts().sh('mount -o remount,ro /tmp')
    const starter = start('train')
    await mounts().sshjob(['-q', '--wait=20', 'train', 'true'])
    await mounts().sh('mount -o remount,rw /tmp')
    const twin = start('train')
    await twin.waitFor(/To enter this job, .*: sshjob train-2$/m)
    await stop(starter, twin)
  })

  it('do not meet where there is no safe place, and the starter says why and runs the job', async () => {
    const others = 'mkdir -m 700 /tmp/sshjob-0 /dev/shm/sshjob-0 /var/tmp/sshjob-0 /run/user/0/sshjob'
    await mounts().sh(
      `${others}; chown 54321 /tmp/sshjob-0 /dev/shm/sshjob-0 /var/tmp/sshjob-0 /run/user/0/sshjob`,
    )
    const starter = start('train')
    await starter.waitFor(/The job runs all the same, and can't be entered\./)
    await stop(starter)
    const strict = mounts().startServer(['--require-session', '--job-id', 'train', '--', 'cat'])
    expect((await strict.ended).exitCode).toBe(255)
    expect(strict.stderr().toString()).toContain('The job was not started, as --require-session says.')
    for (const place of ['/tmp/sshjob-0', '/dev/shm/sshjob-0', '/var/tmp/sshjob-0', '/run/user/0/sshjob']) {
      expect(starter.stderr().toString()).toContain(
        `The folder ${place} can't be used: it belongs to user 54321.`,
      )
    }
    expect((await mounts().sshjob(['train', 'true'])).stderr).toMatch(/^sshjob: No job train of yours /)
  })

  it('meet no more once the first folder is open to others, and the client says so', async () => {
    const starter = start('train')
    await mounts().sshjob(['-q', '--wait=20', 'train', 'true'])
    await mounts().sh('chmod 755 /tmp/sshjob-0')
    const { stderr } = await mounts().sshjob(['train', 'true'])
    expect(stderr).toContain(
      ' The folder /tmp/sshjob-0 was left out: others have access to it (mode 755; `chmod 700` mends that).',
    )
    await stop(starter)
  })
})
