import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { SshjobError } from '../../../../src/core/errors.js'
import type { ServedJob } from '../../../../src/engines/engine.js'
import { htcondorJob } from '../../../../src/engines/htcondor/job.js'
import { turnOfEventLoop } from '../../../helpers/bytes.js'
import { readAll, runIn, startIn, TERMINAL } from '../../../helpers/job-session.js'
import { describeWith, findProgram, itAsRoot, itAsUser } from '../../../helpers/needs.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const AD = 'ClusterId = 1138\nProcId = 2\nCmd = "/bin/my \\"job\\""\nJobCurrentStartDate = 1700000000\n'

describe('the job of HTCondor that this process was started beside', () => {
  const folder = temporaryDirectory()
  let scratch = ''

  beforeEach(async () => {
    scratch = await fs.mkdtemp(path.join(folder(), 'dir_'))
    await fs.writeFile(path.join(scratch, '.job.ad'), AD)
  })

  function find(variables: Record<string, string> = {}): ServedJob {
    // As of a job that is nowhere else.
    const pids = { _CONDOR_JOB_PIDS: String(process.pid) }
    const all = { _CONDOR_SCRATCH_DIR: scratch, HOME: '/', ...pids, ...variables }
    const found = htcondorJob(new Map(Object.entries(all).map(([name, text]) => [name, Buffer.from(text)])))
    if (found === undefined) throw new Error('Not recognised')
    return found
  }
  const forcedCommand = (): string =>
    `/usr/libexec/condor/condor_ssh_to_job_shell_setup ${scratch}/.condor_ssh_to_job_1/env.sh`
  const run = async (found: ServedJob, command: string): Promise<string> =>
    (await runIn(found.job, command)).stdout

  it('is there in its environment alone', () => {
    expect(htcondorJob(new Map([['HOME', Buffer.from('/')]]))).toBeUndefined()
    expect(htcondorJob(new Map([['_CONDOR_SCRATCH_DIR', Buffer.from('here')]]))).toBeUndefined()
  })

  it('is described by what its starter wrote down', () => {
    const { job } = find({ _CONDOR_JOB_PIDS: '12 34' }) // wherever they are
    expect(job).toMatchObject({
      id: '1138.2',
      command: ['/bin/my "job"'],
      since: new Date(1_700_000_000_000),
    })
    expect(job.pids()).toEqual([12, 34])
  })

  it('is known as far as can be without that', async () => {
    await fs.rm(path.join(scratch, '.job.ad'))
    expect(find().job).toMatchObject({ id: 'htcondor.0', command: [] })
    // Nor is what the job has put in its place waited for, or read for ever.
    execFileSync('mkfifo', [path.join(scratch, '.job.ad')])
    expect(find().job).toMatchObject({ id: 'htcondor.0', command: [] })
    await fs.rm(path.join(scratch, '.job.ad'))
    await fs.symlink('/dev/zero', path.join(scratch, '.job.ad'))
    expect(find().job).toMatchObject({ id: 'htcondor.0', command: [] })
  })

  it("has the job's variables, without those of the server beside it", async () => {
    const found = find({
      A: "it's\ntwo lines",
      LD_PRELOAD: '/usr/lib/condor/libgetpwnam.so',
      DISPLAY: ':0',
      CONDOR_SSH_TO_JOB_FAKE_PASSWD_ENTRY: 'x',
    })
    const environment = await run(found, 'env; echo "$A"')
    expect(environment).toContain("it's\ntwo lines\n")
    expect(environment).not.toMatch(/^(LD_PRELOAD|DISPLAY|CONDOR_SSH_TO_JOB_FAKE_PASSWD_ENTRY)=/m)
    expect(environment).toMatch(/^PATH=\/usr\/local\/bin:\/usr\/bin:\/bin$/m)
  })

  it('starts in its working directory, else in its scratch folder', async () => {
    const initial = path.join(folder(), 'initial')
    await fs.mkdir(initial)
    const variables = { _CONDOR_JOB_IWD: initial }
    expect(await run(find(variables), 'pwd -P')).toBe(`${await fs.realpath(initial)}\n`)
    await fs.rmdir(initial)
    expect(await run(find(variables), 'pwd -P')).toBe(`${await fs.realpath(scratch)}\n`)
    expect((await find(variables).job.inside?.().files())?.directory).toBe(scratch)
  })

  it('gives a shell that the user chose, and commands to bash, as HTCondor does', async () => {
    const shell = path.join(scratch, 'myshell')
    await fs.writeFile(shell, '#!/bin/sh\necho my shell\n', { mode: 0o755 })
    const found = find({ _CONDOR_SHELL: shell, SHELL: '/bin/sh' })
    expect(await run(found, '[[ -n $BASH_VERSION ]] && echo bash')).toBe('bash\n')
    const session = await found.job.spawn({ command: undefined, environment: new Map(), terminal: undefined })
    session.stdin.end()
    const [chunk] = await once(session.stdout, 'data')
    expect(String(chunk)).toBe('my shell\n')
    await session.terminate()
  })

  it("greets in HTCondor's words", () => {
    const full = { _CONDOR_SLOT_NAME: 'slot1_24@host', _CONDOR_JOB_PIDS: '12', TMOUT: '600' }
    expect(find(full).greeting()).toBe(
      'Welcome to slot1_24@host!\nYour condor job is running with pid(s) 12.\n' +
        'You will be logged out after 600 seconds of inactivity.\n',
    )
    expect(find({ _CONDOR_JOB_PIDS: '' }).greeting()).toBe('')
  })

  it("replaces HTCondor's forced command, and no other", () => {
    const { replacesForcedCommand } = find()
    const others = [
      '/bin/true',
      `${forcedCommand()} `,
      `${forcedCommand()}; id`,
      `${forcedCommand()} more`,
      forcedCommand().replace('/env.sh', '/../env.sh'),
      forcedCommand().replace(scratch, '/tmp'),
      forcedCommand().replace('/usr/libexec/condor/', ''),
      forcedCommand().replace('shell_setup', 'shell_setup2'),
    ]
    expect(replacesForcedCommand(forcedCommand())).toBe(true)
    expect(others.filter(replacesForcedCommand)).toEqual([])
  })

  it('of an interactive job, ends the process that it waits with, once a session begins', async () => {
    await fs.appendFile(path.join(scratch, '.job.ad'), 'InteractiveJob = true\n')
    const waiting = spawn('sleep', ['1000'], { stdio: 'ignore' })
    const ended = once(waiting, 'exit')
    const found = find({ _CONDOR_JOB_PIDS: String(waiting.pid), _CONDOR_SLOT_NAME: 'slot1@host' })
    expect(found.greeting()).toContain('pid(s)')
    expect(await run(found, 'echo here')).toBe('here\n')
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(found.greeting()).toBe('Welcome to slot1@host!\n')
  })

  it('of any other job, ends nothing', async () => {
    const found = find({ _CONDOR_JOB_PIDS: String(process.pid) })
    expect(await run(found, 'echo here')).toBe('here\n')
    expect(found.job.pids()).toEqual([process.pid])
  })

  const start = (file: string, args: readonly string[]) => {
    const child = spawn(file, args, { stdio: 'ignore' })
    const ended = once(child, 'exit')
    return {
      pid: String(child.pid),
      async end() {
        child.kill('SIGKILL')
        await ended
      },
    }
  }
  const refusal = (why: string): Error =>
    expect.objectContaining({ code: 'spawn-failed', message: expect.stringContaining(why) })
  const IN_CONTAINER = refusal('runs in a container, and HTCondor gives no way into it here')
  const UNKNOWN = refusal("can't be told whether the job runs in a container")
  const spawnIn =
    (found: ServedJob, command: string | undefined): (() => unknown) =>
    () =>
      found.job.spawn({
        command: command === undefined ? undefined : Buffer.from(command),
        environment: new Map(),
        terminal: undefined,
      })
  /** Which of these are offered: files, a temporary directory, a port and a socket to connect to and to listen on. */
  async function offers({ job }: ServedJob): Promise<boolean[]> {
    const inside = job.inside?.()
    const signal = AbortSignal.timeout(10_000)
    const name = path.join(scratch, 'no socket')
    const wishes = [
      async () => inside?.files(),
      async () => (await inside?.temporary())?.remove(),
      async () => inside?.connect({ host: 'localhost', port: 0 }, { signal }),
      async () => inside?.connect({ path: name }, { signal }),
      async () => (await inside?.listen({ port: 0, on: 'everywhere' }, () => undefined))?.close(),
      async () => (await inside?.listen({ path: name }, () => undefined))?.close(),
    ]
    return Promise.all(
      wishes.map((wish) =>
        wish().then(
          () => true,
          // Of what is offered and not there, another error tells.
          (error: unknown) => !(error instanceof SshjobError && error.code === 'denied'),
        ),
      ),
    )
  }
  const ALL = [true, true, true, true, true, true]
  const PORTS = [false, false, true, false, true, false]
  const NONE = [false, false, false, false, false, false]
  const expectClosed = async (found: ServedJob, why: Error): Promise<void> => {
    for (const command of [undefined, 'id', forcedCommand()]) expect(spawnIn(found, command)).toThrow(why)
    expect(found.isOutside).toBe(true)
    expect(await offers(found)).toEqual(NONE)
  }

  it.each([
    'WantContainer = true',
    'WantDocker = TRUE',
    'DockerImage = "debian"',
    'ContainerImage = "/x.sif"',
  ])('in a container to which there is no way, runs nothing: %s', async (line) => {
    expect([find().isOutside, await offers(find())]).toEqual([false, ALL])
    await fs.appendFile(path.join(scratch, '.job.ad'), `${line}\n`)
    await expectClosed(find(), IN_CONTAINER)
  })

  it.each([
    ['none is known', ''],
    ['it has ended', String(2 ** 30)],
    ['it has ended, and others of the job are here', `${2 ** 30} ${process.pid}`],
  ])('runs nothing where its first process can not be looked at: %s', async (_, pids) => {
    await expectClosed(find({ _CONDOR_JOB_PIDS: pids }), UNKNOWN)
  })

  itAsUser("runs nothing where its first process is another user's, as Docker's client is", async () => {
    await expectClosed(find({ _CONDOR_JOB_PIDS: '1' }), UNKNOWN)
    await expectClosed(find({ _CONDOR_JOB_PIDS: `${process.pid} 1` }), UNKNOWN)
  })

  it('is entered whatever processes of its own making are elsewhere', async () => {
    const found = find({ _CONDOR_JOB_PIDS: `${process.pid} ${2 ** 30}` })
    expect(await run(found, 'echo here')).toBe('here\n')
  })

  describeWith(['unshare'], 'of which the first process is in a container', () => {
    const mayUnshare = spawnSync('unshare', ['-U', 'true']).status === 0
    const itIfMay = mayUnshare ? it : it.skip

    itIfMay('is recognised by its users, whatever the job has made of its folder', async () => {
      const runtime = start('unshare', ['-U', 'sleep', '1000'])
      const users = (pid: string): Promise<string> => fs.readlink(`/proc/${pid}/ns/user`)
      while ((await users(runtime.pid)) === (await users('self'))) await turnOfEventLoop()
      try {
        await fs.writeFile(path.join(scratch, '.job.ad'), 'WantContainer = false\n')
        await expectClosed(find({ _CONDOR_JOB_PIDS: runtime.pid }), IN_CONTAINER)
        await expectClosed(find({ _CONDOR_JOB_PIDS: `${process.pid} ${runtime.pid}` }), IN_CONTAINER)
      } finally {
        await runtime.end()
      }
    })
  })

  describeWith(['busybox', 'chroot'], 'of which the first process has another root folder', () => {
    itAsRoot('is in a container, whose ports are ours', async () => {
      const root = path.join(folder(), 'root')
      await fs.mkdir(root)
      await fs.copyFile(findProgram('busybox') ?? '', path.join(root, 'busybox'))
      const inside = start('chroot', [root, '/busybox', 'sleep', '1000'])
      try {
        while ((await fs.readlink(`/proc/${inside.pid}/root`)) === '/') await turnOfEventLoop()
        const found = find({ _CONDOR_JOB_PIDS: inside.pid })
        expect(spawnIn(found, 'id')).toThrow(IN_CONTAINER)
        expect([found.isOutside, await offers(found)]).toEqual([true, PORTS])
        // Of what has ended, nothing is known.
        expect(await offers(find({ _CONDOR_JOB_PIDS: `${inside.pid} ${2 ** 30}` }))).toEqual(NONE)
      } finally {
        await inside.end()
      }
    })
  })

  describe('in a container to which its starter is the way', () => {
    let listener: net.Server
    beforeEach(async () => {
      listener = net.createServer()
      // Relative: the path of a unix socket has 107 bytes at most, and the temporary folder may be deep.
      listener.listen(path.relative(process.cwd(), path.join(scratch, '.docker_sock')))
      await once(listener, 'listening')
    })
    afterEach(() => void listener.close())

    /** In the place of condor_docker_enter: shows its arguments, its folder and its environment, and becomes a shell. */
    async function withProgram(usage: string): Promise<ServedJob> {
      const programs = await fs.mkdtemp(path.join(folder(), 'bin'))
      const script = [
        '#!/bin/sh',
        `# Usage: ${usage}`,
        'printf "[%s]" "$@"; pwd -P',
        `tr '\\0' '\\n' </proc/$$/environ`,
      ]
      await fs.writeFile(path.join(programs, 'condor_docker_enter'), script.join('\n'), { mode: 0o755 })
      return find({ _CONDOR_BIN: programs, BASH_ENV: '/evil', LD_AUDIT: '/evil.so', FROM_THE_JOB: 'yes' })
    }
    const hostile = new Map(
      [
        [
          'BASH_ENV',
          'SHELLOPTS',
          'ENV',
          'PS4',
          'IFS',
          'PATH',
          'HOME',
          'CONDOR_CONFIG',
          'NODE_OPTIONS',
          'PYTHONPATH',
        ],
        ['PERL5LIB', 'GIT_SSH', 'OPENSSL_CONF', 'LD_X', 'TMPDIR', 'LANGUAGE', 'LC_', 'SSH_ORIGINAL_COMMAND'],
      ]
        .flat()
        .map((name) => [name, Buffer.from('evil')]),
    )

    it('runs nothing beside it but what leads there, with nothing of the client’s or the job’s but the locale', async () => {
      const found = await withProgram('[options] [command ...]')
      const locale: [string, string][] = [
        ['LANG', 'C.UTF-8'],
        ['LC_TIME', '../evil'],
        ['LC_ALL', '/evil'],
      ]
      const environment = new Map([
        ...hostile,
        ...locale.map(([name, text]) => [name, Buffer.from(text)] as const),
      ])
      const { stdout, stderr } = await runIn(found.job, forcedCommand(), { environment })
      expect(stderr).toBe('')
      const [first, ...variables] = stdout.trim().split('\n')
      // The client's own words, even if they are those of HTCondor, are for the container.
      expect(first).toBe(`[${forcedCommand()}]${await fs.realpath(scratch)}`)
      expect(stdout).not.toContain('evil')
      expect(stdout).not.toContain('FROM_THE_JOB')
      expect(variables.map((line) => line.split('=')[0]).sort()).toEqual(
        [
          'CONDOR_CONFIG',
          'HOME',
          'LANG',
          'LOGNAME',
          'PATH',
          'PWD',
          'SHELL',
          'SSHJOB_JOB_ID',
          'SSHJOB_JOB_PIDS',
          'USER',
        ]
          .filter((name) => name !== 'PWD' || stdout.includes('\nPWD='))
          .sort(),
      )
    })

    it('hands on commands as they are', async () => {
      const found = await withProgram('[options] [command ...]')
      const command = Buffer.concat([Buffer.from(`a  'b' "$(id)" \\\n;`), Buffer.from([0xff, 0xfe])])
      const session = await runIn(found.job, command)
      expect(session.stdout).toContain(`[${command.toString()}]`)
      expect((await runIn(found.job, '-help')).stdout).toMatch(/^\[ -help\]/)
    })

    it('starts shells alone where it takes no commands, as in 23.9', async () => {
      const found = await withProgram('[options] condor_* ....')
      expect(spawnIn(found, 'id')).toThrow(refusal('would run the command outside of it'))
      const shell = await startIn(found.job, undefined, { environment: hostile })
      const said = (await readAll(shell.stdout)).toString()
      expect(said).toMatch(`[]${await fs.realpath(scratch)}\n`)
      expect(said).not.toContain('evil')
    })

    it('has a terminal of a type that is a name', async () => {
      const found = await withProgram('[options] [command ...]')
      for (const [term, expected] of [
        ['xterm-256color', 'xterm-256color'],
        ['/evil', 'dumb'],
        ['../evil', 'dumb'],
      ] as const) {
        const { stdout } = await runIn(found.job, 'x', { terminal: { ...TERMINAL, term } })
        expect(stdout).toMatch(new RegExp(`^TERM=${expected}\r$`, 'm'))
      }
    })

    it('is not, where the job has put a link to another socket in its place', async () => {
      const found = await withProgram('[options] [command ...]')
      await fs.rename(path.join(scratch, '.docker_sock'), path.join(scratch, 'another'))
      await fs.symlink('another', path.join(scratch, '.docker_sock'))
      expect(spawnIn(found, 'id')).toThrow(IN_CONTAINER)
    })

    it('runs nothing where HTCondor has not said where its programs are', async () => {
      await expectClosed(find(), IN_CONTAINER)
      await expectClosed(find({ _CONDOR_BIN: 'bin' }), IN_CONTAINER)
    })

    it('replaces HTCondor’s forced command as well', () => {
      expect(find().replacesForcedCommand(forcedCommand())).toBe(true)
    })
  })
})
