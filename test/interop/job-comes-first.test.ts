import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describeAsRoot, describeWith, describeWithMounts } from '../helpers/needs.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { runProgram, SSHJOB, startProgram, WRAPPER } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

const RAN = { exitCode: 3, signal: null, stdout: 'ran\n' }
const COMMAND = ['--', 'sh', '-c', 'echo ran; exit 3']

describe('a job runs all the same', () => {
  const { user, start } = starterSuite()
  const run = (options: readonly string[]) =>
    runProgram(WRAPPER, ['--job-id', JOB, '-q', ...options, ...COMMAND], { env: user().env })

  it('when the socket that it was given can not be had, and is found by its id', async () => {
    const options = ['--listen', 'unix:/no/such/folder/s']
    const { stderr, ...rest } = await run(options)
    expect(rest).toEqual(RAN)
    expect(stderr).toMatch(
      /No socket can be opened at \/no\/such\/folder\/.*: .*\(E[A-Z]+\)\. It is found by its id instead\./,
    )
    await start({ options })
    expect((await runProgram(SSHJOB, [JOB, 'exit 5'], { env: user().env })).exitCode).toBe(5)
  })

  it('when its log can not be written, which goes to stderr', async () => {
    const { stderr, ...rest } = await run(['--log-file', '/no/such/log'])
    expect(rest).toEqual(RAN)
    expect(stderr).toContain(
      "The log file /no/such/log can't be written: no such file or directory (ENOENT). It goes to stderr.",
    )
  })

  it('when nothing answers where its log is to be, or its greeting is', async () => {
    const fifo = join(user().folder, 'fifo')
    await runProgram('mkfifo', [fifo])
    const { stderr: ofLog, ...logged } = await run(['--log-file', fifo])
    expect(logged).toEqual(RAN)
    expect(ofLog).toContain(`The log file ${fifo} can't be opened: nothing answers. It goes to stderr.`)
    expect(await run(['--motd', fifo])).toEqual({ ...RAN, stderr: '' })
  })

  it('when its greeting can not be read', async () => {
    const { stderr, ...rest } = await run(['--motd', '/no/such'])
    expect(rest).toEqual(RAN)
    expect(stderr).toContain(
      "The file of --motd, /no/such, can't be read: no such file or directory (ENOENT).",
    )
  })

  it('when TMPDIR and XDG_RUNTIME_DIR name what can not be used, of which nothing is said', async () => {
    const long = join(user().folder, 'x'.repeat(100))
    mkdirSync(long)
    const file = join(user().folder, 'file')
    writeFileSync(file, '')
    for (const place of [long, file, '/nowhere', '/proc']) {
      const env = { ...user().env, SSHJOB_RUNTIME_DIR: '', XDG_RUNTIME_DIR: place, TMPDIR: place }
      const args = ['--require-session', '--job-id', `tmpdir-${process.pid}`, '-q', ...COMMAND]
      expect([place, await runProgram(WRAPPER, args, { env })]).toEqual([place, { ...RAN, stderr: '' }])
    }
  })
})

describeAsRoot('where there is no place for its socket', () => {
  describeWithMounts('a job', () => {
    const { user } = starterSuite()
    /** Nothing can be written but what was there before. The checkout may be in /tmp. */
    const SHUT =
      'mount --bind "$1" /mnt; shift; for place in /tmp /var/tmp /dev/shm /run; do mount -t tmpfs -o ro none "$place"; done; exec "$@"'
    const run = (options: readonly string[]) => {
      // What the tests have is below /tmp.
      const env = { ...user().env, TMPDIR: '/tmp', XDG_RUNTIME_DIR: undefined, SSHJOB_RUNTIME_DIR: undefined }
      const command = [
        `/mnt/${relative(process.cwd(), WRAPPER)}`,
        '--job-id',
        JOB,
        '-q',
        ...options,
        ...COMMAND,
      ]
      return runProgram('unshare', ['-m', 'sh', '-c', SHUT, 'sh', process.cwd(), ...command], { env })
    }

    it('runs all the same, and the log says why it can not be entered', async () => {
      const { stderr, ...rest } = await run([])
      expect(rest).toEqual(RAN)
      expect(stderr).toMatch(/EROFS.* The job runs all the same, and can't be entered\./)
    })

    it('does not with --require-session, which is told', async () => {
      const { stderr, ...rest } = await run(['--require-session'])
      expect(rest).toEqual({ exitCode: 255, signal: null, stdout: '' })
      expect(stderr).toMatch(
        /^sshjob-server: .*EROFS.* The job was not started, as --require-session says\.\n$/,
      )
    })
  })
})

describe('a job with little address space', () => {
  const { user } = starterSuite()
  /** As SGE's h_vmem and login nodes have it: V8 reserves more than any of these for WebAssembly. */
  const KIB = ['2000000', '4000000', '12000000']
  const limited = (limit: string, ...command: string[]): string[] => [
    '-c',
    'ulimit -v "$0" && exec "$@"',
    limit,
    ...command,
  ]

  it.each(KIB)('of %s KiB has sessions, and nothing of ours on its stderr', async (limit) => {
    const command = [WRAPPER, '--job-id', JOB, '-q', '--', 'sh', '-c', 'echo up; ulimit -v; cat']
    const starter = startProgram('sh', limited(limit, ...command), { env: user().env })
    await starter.waitFor(/up/)
    const enter = (...args: string[]) =>
      runProgram('sh', limited(limit, process.execPath, SSHJOB, ...args), { env: user().env })
    expect(await enter(JOB, 'ulimit -v; exit 4')).toEqual({
      exitCode: 4,
      signal: null,
      stdout: `${limit}\n`,
      stderr: '',
    })
    const [here, there] = ['here', 'there'].map((name) => join(user().folder, name))
    writeFileSync(here ?? '', Buffer.alloc(1_000_000, 'x'))
    expect((await enter('cp', '-q', here ?? '', `${JOB}:${there}`)).stderr).toBe('')
    expect(readFileSync(there ?? '').length).toBe(1_000_000)
    starter.child.stdin.end()
    expect(await starter.ended).toEqual({ exitCode: 0, signal: null })
    expect(starter.stdout().toString()).toBe(`up\n${limit}\n`)
    expect(starter.stderr().toString()).toBe('')
  })

  describeWith(['ssh'], 'and ssh', () => {
    const suite = starterSuite()
    const ssh = sshOf(suite.user)

    it('agree on a cipher, whichever ssh likes best; one that can not be had is refused in words', async () => {
      const command = ['--job-id', JOB, '--', 'sh', '-c', 'echo up; cat']
      const starter = startProgram('sh', limited('4000000', WRAPPER, ...command), { env: suite.user().env })
      await starter.waitFor(/up/)
      expect(await ssh.run([HOST, 'echo in; exit 4'])).toMatchObject({ exitCode: 4, stdout: 'in\n' })
      const chacha = ['-o', 'Ciphers=chacha20-poly1305@openssh.com', HOST, 'true']
      expect((await ssh.run(chacha)).stderr).toContain('no matching cipher found')
      starter.child.stdin.end()
      await starter.ended
      expect(starter.stderr().toString()).not.toMatch(/wasm|RangeError/i)
    })
  })
})
