import { once } from 'node:events'
import fs from 'node:fs/promises'
import path from 'node:path'
import { readSettings } from '../../../src/cli/server/settings.js'
import { connect } from '../../../src/client/connect.js'
import { VERSION } from '../../../src/core/version.js'
import { listLocalJobs, openLocalJob } from '../../../src/engines/local/local-jobs.js'
import type { JobInfo } from '../../../src/hello/messages.js'
import { connectUnix } from '../../../src/sockets/unix.js'
import { commandStream } from '../../../src/streams/command.js'
import { describeWith } from '../../helpers/needs.js'
import { runProgram, SSHJOB_SERVER, startProgram } from '../../helpers/programs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const SIGNALS = ['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2'] as const

describe('the options of sshjob-server', () => {
  const command = ['--', 'true']

  it('have defaults', () => {
    expect(readSettings(['sleep', '1', '--help'])).toMatchObject({
      mode: 'job',
      command: ['sleep', '1', '--help'],
      jobId: `sleep-${process.pid}`,
      maxSessions: 256,
      lingerMs: 0,
      serveOptions: {},
      logLevel: 'warn',
    })
  })

  it('are read up to the command', () => {
    const args = ['--job-id', 'a', '--listen', 'unix:/x/y', '--shells', 'zsh,/bin/bash', '--idle-timeout=1.5']
    const more = [
      '--max-sessions',
      '3',
      '--linger',
      'forever',
      '--no-motd',
      '--quiet',
      '--log-level',
      'debug',
      '--log-file',
      'l',
    ]
    expect(readSettings([...args, ...more, '--', 'ls', '-i'])).toEqual({
      mode: 'job',
      command: ['ls', '-i'],
      jobId: 'a',
      listen: '/x/y',
      maxSessions: 3,
      lingerMs: 'forever',
      quiet: true,
      serveOptions: { shells: ['zsh', '/bin/bash'], idleTimeoutMs: 1_500, motd: false },
      logLevel: 'debug',
      logFile: 'l',
      requireSession: false,
      complaints: [],
      logFormat: 'json',
    })
    expect(readSettings(['--linger', '2', 'x']).lingerMs).toBe(2_000)
    const forwarding = [
      '--allow-forwarding',
      'local',
      '--permit-open',
      'a:1',
      '--permit-open',
      '/b',
      '--permit-listen',
      '0',
    ]
    expect(readSettings([...forwarding, 'x']).serveOptions).toEqual({
      forwarding: 'local',
      permitOpen: ['a:1', '/b'],
      permitListen: ['0'],
    })
  })

  it.each([
    [[], /There is no COMMAND to run/],
    [['--nope', ...command], /There is no option --nope\. Run 'sshjob-server --help'/],
    [['--job-id', '../x', ...command], /is not a job id/],
    [['--listen', '/x', ...command], /--listen takes unix:PATH, not "\/x"/],
    [['--linger', 'soon', ...command], /--linger takes a number of seconds or 'forever', not "soon"/],
    [['--idle-timeout', '-1', ...command], /--idle-timeout takes a number of seconds, not "-1"/],
    [['--idle-timeout', '99999999', ...command], /--idle-timeout takes/],
    [['--max-sessions', '0', ...command], /--max-sessions takes a number of at least 1/],
    [['--log-level', 'loud', ...command], /--log-level is one of fatal, error, warn/],
    [['--log-format', 'xml', ...command], /--log-format is one of text, json\. Run/],
    [['--allow-forwarding', 'some', ...command], /--allow-forwarding is one of none, local, remote, all/],
    [['--permit-open', '80', ...command], /'80' permits nothing: write HOST:PORT or the path of a socket/],
    [['--permit-listen', 'a:b', ...command], /'a:b' permits nothing: write PORT or HOST:PORT or the path/],
    [
      ['-i', '--motd', '/no/such'],
      /The file of --motd, \/no\/such, can't be read: no such file or directory \(ENOENT\)\.$/,
    ],
    [['-i', ...command], /With -i no job is started/],
    [['-i', '--listen', 'unix:/x'], /With -i the connection is on stdin/],
  ])('are refused when they are wrong: %j', (args, message) => {
    expect(() => readSettings(args)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringMatching(message) }),
    )
  })
})

describe('sshjob-server', () => {
  const directory = temporaryDirectory()
  const env = (): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    HOME: directory(),
    TMPDIR: directory(),
    ...environment(),
  })
  const environment = (): { SSHJOB_RUNTIME_DIR: string } => ({
    SSHJOB_RUNTIME_DIR: path.join(directory(), 'sshjob'),
  })
  const run = (args: string[], stdin = ''): ReturnType<typeof runProgram> =>
    runProgram(SSHJOB_SERVER, ['--quiet', ...args], { env: env(), stdin })

  it('passes stdin, stdout, stderr and the exit status through, and leaves no socket', async () => {
    await expect(run(['--', 'sh', '-c', 'cat; echo err >&2; exit 7'], 'in\0put')).resolves.toMatchObject({
      stdout: 'in\0put',
      stderr: 'err\n',
      exitCode: 7,
    })
    expect(await fs.readdir(path.join(directory(), 'sshjob'))).toEqual([])
  })

  it.each([
    [['sh', '-c', 'kill -TERM $$'], 143],
    [['sh', '-c', 'kill -KILL $$'], 137],
    [['sh', '-c', 'exit 255'], 255],
  ])('exits as a shell reports it: %j', async (command, exitCode) => {
    await expect(run(['--', ...command])).resolves.toMatchObject({ exitCode, stderr: '' })
  })

  it.each([
    [['--nope'], /^sshjob-server: There is no option --nope\./],
    [['--', '/no/such/program'], /^sshjob-server: .*could not be started/],
    [
      ['--require-session', '--listen', 'unix:/no/such/folder/s', '--', 'true'],
      /^sshjob-server: No socket can be opened/,
    ],
    [
      ['-i', '--motd', '/no/such'],
      /^sshjob-server: The file of --motd, \/no\/such, can't be read: no such file or directory \(ENOENT\)\.\n$/,
    ],
    [
      ['-i', '--log-file', '/no/such/log'],
      /^sshjob-server: The log file \/no\/such\/log can't be written: no such file or directory \(ENOENT\)\.\n$/,
    ],
  ])('exits 255 with one sentence for failures of its own: %j', async (args, sentence) => {
    const { exitCode, stdout, stderr } = await run(args)
    expect({ exitCode, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
      exitCode: 255,
      stdout: '',
      lines: 1,
    })
    expect(stderr).toMatch(sentence)
  })

  it('says its version, and every option', async () => {
    await expect(run(['--version'])).resolves.toMatchObject({
      stdout: `sshjob-server ${VERSION}\n`,
      exitCode: 0,
    })
    const { stdout } = await run(['--help'])
    for (const option of [
      '--job-id ID',
      '--listen unix:PATH',
      '--linger',
      '--no-motd',
      '-i,',
      'It is 255 when',
    ]) {
      expect(stdout).toContain(option)
    }
  })

  it('is found by its job id, and lets a twin run by another', async () => {
    const starter = startProgram(
      SSHJOB_SERVER,
      ['--job-id', 'train', '--', 'sh', '-c', 'echo up; read line'],
      {
        env: env(),
      },
    )
    await starter.waitFor(/up/)
    await expect(listLocalJobs({ environment: environment() })).resolves.toMatchObject([
      { id: 'train', command: ['sh', '-c', 'echo up; read line'] },
    ])
    const twin = await run(['--job-id', 'train', '--', 'echo', 'ran'])
    expect(twin).toMatchObject({
      exitCode: 0,
      stdout: 'ran\n',
      stderr: expect.stringContaining('Another job that runs here is called train: this one is train-2.'),
    })
    const connection = await connect(await openLocalJob('train', { environment: environment() }))
    const remote = await connection.exec('echo $SSHJOB_JOB_ID; exit 4')
    await expect(remote.output()).resolves.toMatchObject({ stdout: Buffer.from('train\n'), exitCode: 4 })
    starter.child.stdin.end('\n')
    await expect(connection.closed).resolves.toBeDefined()
    await expect(starter.ended).resolves.toEqual({ exitCode: 0, signal: null })
    await expect(openLocalJob('train', { environment: environment() })).rejects.toMatchObject({
      code: 'job-not-found',
    })
  })

  it('leaves no trace of itself on the paths that it was told', async () => {
    const socket = path.join(directory(), 'my.sock')
    const logFile = path.join(directory(), 'log')
    const starter = startProgram(
      SSHJOB_SERVER,
      [
        '--quiet',
        '--listen',
        `unix:${socket}`,
        '--log-level',
        'info',
        '--log-file',
        logFile,
        '--',
        'sh',
        '-c',
        'echo up; read line',
      ],
      { env: env() },
    )
    await starter.waitFor(/up/)
    const connection = await connect(await connectUnix(socket))
    await connection.close()
    starter.child.stdin.end()
    await starter.ended
    await expect(fs.stat(socket)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(starter.stderr().toString()).toBe('')
    expect(await fs.readFile(logFile, 'utf8')).toContain('client authenticated')
  })

  it.each(SIGNALS)('hands SIG%s on to the job, once', async (signal) => {
    const script = `trap 'echo got' ${signal}; echo up; read line; read line; echo end`
    const starter = startProgram(SSHJOB_SERVER, ['--', 'sh', '-c', script], { env: env() })
    await starter.waitFor(/up/)
    starter.kill(`SIG${signal}`)
    await starter.waitFor(/got/)
    starter.child.stdin.end('\n\n')
    await expect(starter.ended).resolves.toEqual({ exitCode: 0, signal: null })
    expect(starter.stdout().toString()).toBe('up\ngot\nend\n')
  })

  it('says of the job of an engine that it was started in what the engine has left word of there', async () => {
    const file = path.join(directory(), '.job.ad')
    await fs.writeFile(
      file,
      'ClusterId = 1138\nProcId = 2\nCmd = "/bin/train"\nJobCurrentStartDate = 1700000000\n',
    )
    const told = async (...options: string[]): Promise<JobInfo | undefined> => {
      const argv = ['env', `_CONDOR_JOB_AD=${file}`, process.execPath, SSHJOB_SERVER, '-i', ...options]
      const connection = await connect(commandStream(argv))
      await connection.close()
      return connection.job
    }
    expect(await told()).toMatchObject({
      id: '1138.2',
      command: ['/bin/train'],
      since: '2023-11-14T22:13:20.000Z',
    })
    expect(await told('--job-id', 'step')).toMatchObject({ id: 'step', command: ['/bin/train'] })
  })

  it('serves one connection on stdin and stdout', async () => {
    const stream = commandStream([process.execPath, SSHJOB_SERVER, '-i', '--job-id', 'step'])
    const closed = once(stream, 'close')
    const connection = await connect(stream)
    expect(connection.job).toMatchObject({ id: 'step' })
    const remote = await connection.exec('cat; exit 3', { stdin: Buffer.alloc(1_000_000, 'x') })
    const output = await remote.output()
    expect(output).toMatchObject({ exitCode: 3 })
    expect(output.stdout.length).toBe(1_000_000)
    await connection.close()
    await closed
  })

  it('ends with the connection on stdin and stdout, and tells garbage from it', async () => {
    const starter = startProgram(SSHJOB_SERVER, ['-i'], { env: env(), stdin: 'GET / HTTP/1.0\r\n\r\n' })
    await expect(starter.ended).resolves.toEqual({ exitCode: 255, signal: null })
    expect(starter.stderr().toString()).toMatch(/^sshjob-server: This is not a client of sshjob/)
    expect(starter.stdout().toString()).toMatch(/^sshjob-hello\/1 \{"ok":false,"code":"hello-invalid"/)
  })

  describeWith(['ssh'], 'met by ssh without the proxy', () => {
    it('tells its user what to use', async () => {
      const starter = startProgram(
        SSHJOB_SERVER,
        ['--job-id', 'plain', '--', 'sh', '-c', 'echo up; read line'],
        {
          env: env(),
        },
      )
      await starter.waitFor(/up/)
      const socket = path.join(directory(), 'sshjob', 'plain.sock')
      const carry = `const s = require('net').connect('${socket}'); process.stdin.pipe(s).pipe(process.stdout)`
      const proxy = `${process.execPath} -e "${carry}"`
      const { exitCode, stderr } = await runProgram('ssh', [
        '-F',
        'none',
        '-o',
        `ProxyCommand=${proxy}`,
        'plain',
        'true',
      ])
      expect(exitCode).toBe(255)
      expect(stderr).toContain(
        "This connection began without sshjob's hello: use `sshjob proxy JOB` as ProxyCommand",
      )
    })
  })

  it('stays when its clients misbehave', async () => {
    const starter = startProgram(
      SSHJOB_SERVER,
      ['--job-id', 'calm', '--', 'sh', '-c', 'echo up; read line; exit 5'],
      {
        env: env(),
      },
    )
    await starter.waitFor(/up/)
    for (let round = 0; round < 50; round++) {
      const stream = await openLocalJob('calm', { environment: environment() })
      stream.on('error', () => undefined)
      stream.write(Buffer.alloc(round * 700, round))
      stream.destroy()
    }
    await expect(listLocalJobs({ environment: environment() })).resolves.toMatchObject([{ id: 'calm' }])
    starter.child.stdin.end('\n')
    await expect(starter.ended).resolves.toEqual({ exitCode: 5, signal: null })
  })
})
