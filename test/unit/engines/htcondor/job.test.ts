import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { type HtcondorJob, htcondorJob } from '../../../../src/engines/htcondor/job.js'
import { turnOfEventLoop } from '../../../helpers/bytes.js'
import { runIn } from '../../../helpers/job-session.js'
import { describeWith, findProgram, itAsRoot } from '../../../helpers/needs.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const AD = 'ClusterId = 1138\nProcId = 2\nCmd = "/bin/my \\"job\\""\nJobCurrentStartDate = 1700000000\n'

describe('the job of HTCondor that this process was started beside', () => {
  const folder = temporaryDirectory()
  let scratch = ''

  beforeEach(async () => {
    scratch = await fs.mkdtemp(path.join(folder(), 'dir_'))
    await fs.writeFile(path.join(scratch, '.job.ad'), AD)
  })

  function find(variables: Record<string, string> = {}): HtcondorJob {
    const all = { _CONDOR_SCRATCH_DIR: scratch, HOME: '/', ...variables }
    const found = htcondorJob(new Map(Object.entries(all).map(([name, text]) => [name, Buffer.from(text)])))
    if (found === undefined) throw new Error('Not recognised')
    return found
  }
  const forcedCommand = (): string =>
    `/usr/libexec/condor/condor_ssh_to_job_shell_setup ${scratch}/.condor_ssh_to_job_1/env.sh`
  const run = async (found: HtcondorJob, command: string): Promise<string> =>
    (await runIn(found.job, command)).stdout

  it('is there in its environment alone', () => {
    expect(htcondorJob(new Map([['HOME', Buffer.from('/')]]))).toBeUndefined()
    expect(htcondorJob(new Map([['_CONDOR_SCRATCH_DIR', Buffer.from('here')]]))).toBeUndefined()
  })

  it('is described by what its starter wrote down', () => {
    const { job } = find({ _CONDOR_JOB_PIDS: '12 34' })
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

  it('has what the launcher set aside for it', async () => {
    const found = find({
      SSHJOB_ASIDE_NODE_OPTIONS: '--no-warnings',
      SSHJOB_ASIDE_NODE_EXTRA_CA_CERTS: '/certificates',
      SSHJOB_ASIDE_LD_LIBRARY_PATH: '/opt/job',
    })
    const environment = await run(found, 'env')
    expect(environment).toMatch(/^NODE_OPTIONS=--no-warnings$/m)
    expect(environment).toMatch(/^NODE_EXTRA_CA_CERTS=\/certificates$/m)
    expect(environment).toMatch(/^LD_LIBRARY_PATH=\/opt\/job$/m)
    expect(environment).not.toContain('SSHJOB_ASIDE')
  })

  it('starts in its working directory, else in its scratch folder', async () => {
    const initial = path.join(folder(), 'initial')
    await fs.mkdir(initial)
    const variables = { _CONDOR_JOB_IWD: initial }
    expect(await run(find(variables), 'pwd -P')).toBe(`${await fs.realpath(initial)}\n`)
    await fs.rmdir(initial)
    expect(await run(find(variables), 'pwd -P')).toBe(`${await fs.realpath(scratch)}\n`)
    expect((await find(variables).job.files?.())?.directory).toBe(scratch)
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
    expect(find().greeting()).toBe('')
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

  describe('in a container', () => {
    const REFUSAL = expect.objectContaining({
      code: 'spawn-failed',
      message: expect.stringContaining('runs in a container'),
    })
    const spawnIn = (found: HtcondorJob, command: string | undefined, original?: string): (() => unknown) => {
      const environment = new Map(
        original === undefined ? [] : [['SSH_ORIGINAL_COMMAND', Buffer.from(original)]],
      )
      return () =>
        found.job.spawn({
          command: command === undefined ? undefined : Buffer.from(command),
          environment,
          terminal: undefined,
        })
    }

    it.each([
      'WantContainer = true',
      'WantDocker = TRUE',
      'DockerImage = "debian"',
      'ContainerImage = "/x.sif"',
    ])('to which there is no way, runs nothing: %s', async (line) => {
      await fs.appendFile(path.join(scratch, '.job.ad'), `${line}\n`)
      const found = find()
      expect(found.replacesForcedCommand(forcedCommand())).toBe(false)
      expect(spawnIn(found, undefined)).toThrow(REFUSAL)
      expect(spawnIn(found, 'id')).toThrow(REFUSAL)
      expect(spawnIn(found, forcedCommand())).toThrow(REFUSAL)
      expect(found.job.files).toBeUndefined()
    })

    const NO_FILES = ['AllowStreamLocalForwarding no']
    const NOTHING = [...NO_FILES, 'AllowTcpForwarding no', 'X11Forwarding no']

    it('leads to nothing of the host by a forwarding where no process of the job is known to be in it', async () => {
      expect(find({ _CONDOR_JOB_PIDS: String(process.pid) }).settings).toEqual([])
      await fs.appendFile(path.join(scratch, '.job.ad'), 'WantDocker = true\n')
      expect(find().settings).toEqual(NOTHING)
      // Such as Docker's client, which HTCondor takes for the job.
      const client = spawn('sleep', ['1000'], { stdio: 'ignore' })
      expect(find({ _CONDOR_JOB_PIDS: String(client.pid) }).settings).toEqual(NOTHING)
      client.kill('SIGKILL')
      await once(client, 'exit')
    })

    describeWith(['busybox', 'chroot'], 'that it did not ask for', () => {
      itAsRoot('is recognised by its processes', async () => {
        const root = path.join(folder(), 'root')
        await fs.mkdir(root)
        await fs.copyFile(findProgram('busybox') ?? '', path.join(root, 'busybox'))
        const inside = spawn('chroot', [root, '/busybox', 'sleep', '1000'], { stdio: 'ignore' })
        try {
          const rootOf = (): Promise<string> => fs.readlink(`/proc/${inside.pid}/root`)
          while ((await rootOf()) === '/') await turnOfEventLoop()
          const found = find({ _CONDOR_JOB_PIDS: String(inside.pid) })
          expect(found.replacesForcedCommand(forcedCommand())).toBe(false)
          expect(spawnIn(found, forcedCommand())).toThrow(REFUSAL)
          // Its ports are the host's too, and files are not.
          expect(found.settings).toEqual(NO_FILES)
          expect(find({ _CONDOR_JOB_PIDS: `${inside.pid} ${2 ** 30}` }).settings).toEqual(NOTHING)
        } finally {
          inside.kill('SIGKILL')
          await once(inside, 'exit')
        }
      })
    })

    it("is entered by HTCondor's forced command where its socket is, and runs nothing else", async () => {
      const listener = net.createServer()
      // Relative: the path of a unix socket has 107 bytes at most, and the temporary folder may be deep.
      listener.listen(path.relative(process.cwd(), path.join(scratch, '.docker_sock')))
      await once(listener, 'listening')
      try {
        const found = find()
        expect(found.replacesForcedCommand(forcedCommand())).toBe(false)
        expect(spawnIn(found, 'id')).toThrow(REFUSAL)
        expect(spawnIn(found, undefined)).toThrow(REFUSAL)
        expect(found.job.files).toBeUndefined()
        // The script is not there: what it would do with a command is not known.
        expect(spawnIn(found, forcedCommand(), 'id')).toThrow(REFUSAL)
        expect((await runIn(found.job, forcedCommand())).end).toEqual({ exitCode: 127 })
      } finally {
        listener.close()
      }
    })
  })
})
