import fs, { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { closeAll, makeThreePipes } from '../../../src/process/descriptors.js'
import { libc } from '../../../src/process/libc.js'
import { setOpenFiles } from '../../../src/process/open-files.js'
import { type SpawnOptions, spawnProcess } from '../../../src/process/spawn.js'
import { readAll, runIn, testJob } from '../../helpers/job-session.js'
import { describeAsRoot } from '../../helpers/needs.js'
import { runProgram } from '../../helpers/programs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const folder = temporaryDirectory()

/** Runs a program, and gives all that it wrote. */
async function outputOf(options: Partial<SpawnOptions> & Pick<SpawnOptions, 'args'>): Promise<Buffer> {
  const [input, output, errors] = makeThreePipes()
  const { ended } = spawnProcess({
    file: '/bin/sh',
    environment: [['PATH', '/usr/bin:/bin']],
    stdio: [input.read, output.write, errors.write],
    ...options,
  })
  closeAll([input.read, input.write, output.write, errors.write])
  const [written, complaints] = await Promise.all(
    [output.read, errors.read].map((fd) => readAll(fs.createReadStream('', { fd }))),
  )
  await ended
  expect(complaints?.toString()).toBe('')
  return written ?? Buffer.alloc(0)
}

const readIgnored = (): string | undefined =>
  /^SigIgn:\s*0*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]

const shell = async (script: string, options: Partial<SpawnOptions> = {}): Promise<string> =>
  (await outputOf({ args: ['sh', '-c', script], ...options })).toString()

describe('a process', () => {
  it('has its arguments and variables byte for byte, whatever their names', async () => {
    const bytes = Buffer.from('\xff\'"$`\\ %s\t\xc3\n\n', 'latin1')
    const names = ['a.b', 'a-b', 'BASH_FUNC_module%%', '1', ' ', 'Ä']
    const environment = names.map((name) => [name, bytes] as const)
    const read = (file: string): Promise<Buffer> =>
      outputOf({ file: '/bin/cat', args: ['cat', `/proc/self/${file}`], environment })
    const expected = Buffer.concat(names.flatMap((name) => [Buffer.from(`${name}=`), bytes, Buffer.alloc(1)]))
    expect(await read('environ')).toEqual(expected)
    const args = ['sh', '-c', 'cat /proc/$$/cmdline', bytes, '']
    const words = args.map((word) => Buffer.concat([Buffer.from(word), Buffer.alloc(1)]))
    expect(await outputOf({ args })).toEqual(Buffer.concat(words))
  })

  it('has the default for every signal, but for those that it is to ignore, and blocks none', async () => {
    const read = async (options: Partial<SpawnOptions>): Promise<(string | undefined)[]> => {
      const args = ['cat', '/proc/self/status']
      const status = (await outputOf({ file: '/bin/cat', args, ...options })).toString()
      return ['Blk', 'Ign', 'Cgt'].map(
        (kind) => new RegExp(`^Sig${kind}:\\s*0*(\\w+)$`, 'm').exec(status)?.[1],
      )
    }
    const before = readIgnored()
    expect(await read({})).toEqual(['0', '0', '0'])
    // HUP, INT and the real-time signal 34.
    expect(await read({ ignoredSignals: [1, 2, 34] })).toEqual(['0', '200000003', '0'])
    // PIPE and XFSZ, which Node.js ignores.
    expect(await read({ ignoredSignals: [13, 25] })).toEqual(['0', '1001000', '0'])
    // And we go on as before.
    expect(readIgnored()).toBe(before)
  })

  it('leaves us the signals that it ignores', async () => {
    const script = `
      const { spawnProcess } = await import(${JSON.stringify(pathToFileURL('src/process/spawn.ts').href)})
      process.on('SIGUSR2', () => process.exit(9))
      spawnProcess({ file: '/bin/true', args: ['true'], environment: [], ignoredSignals: [12] })
      process.kill(process.pid, 'SIGUSR2')`
    const register = join(process.cwd(), 'test/helpers/register-typescript.mjs')
    const args = ['--import', register, '--input-type=module', '-e', script]
    expect(await runProgram(process.execPath, args)).toMatchObject({ exitCode: 9, stderr: '' })
  })

  it('has the soft limit of open files that it is to have, and we keep ours', async () => {
    const ours = setOpenFiles(4096)
    try {
      expect(await shell('ulimit -Sn', { openFiles: 1000 })).toBe('1000\n')
      expect(await shell('ulimit -Sn')).toBe('4096\n')
      // Too few for what we have open: set from outside then.
      expect(await shell('sleep 0.3; ulimit -Sn', { openFiles: 40 })).toBe('40\n')
      expect(await shell('[ $(ulimit -Sn) = $(ulimit -Hn) ]; echo $?', { openFiles: 2 ** 30 })).toBe('0\n')
      expect(setOpenFiles(4096)).toBe(4096)
    } finally {
      setOpenFiles(ours)
    }
  })

  it('starts in our directory, or in another', async () => {
    expect(await shell('pwd -P')).toBe(`${fs.realpathSync('.')}\n`)
    mkdirSync(join(folder(), 'a b'))
    expect(await shell('pwd -P', { directory: join(folder(), 'a b') })).toBe(
      `${fs.realpathSync(folder())}/a b\n`,
    )
  })

  it('starts in another directory also where the C library is too old for that', async () => {
    const { actionsAddChdir } = libc()
    libc().actionsAddChdir = undefined
    try {
      const args = ['true', '-c', 'pwd; echo "$@"', 'sh', 'a b', "'"]
      expect((await outputOf({ args, directory: '/usr/bin' })).toString()).toBe("/usr/bin\na b '\n")
    } finally {
      libc().actionsAddChdir = actionsAddChdir
    }
  })

  it('is run by the shell where its file is a script without #!, as by execvp(3)', async () => {
    const file = join(folder(), 'script')
    writeFileSync(file, 'echo "$1 by $(readlink /proc/$$/exe)"\n')
    chmodSync(file, 0o755)
    expect((await outputOf({ file, args: ['script', 'run'] })).toString()).toMatch(
      /^run by .*\/(dash|bash|busybox)\n$/,
    )
  })

  it.each([
    ['/nowhere', {}, 'no such file or directory (ENOENT), posix_spawn'],
    ['/etc/passwd', {}, 'permission denied (EACCES), posix_spawn'],
    ['/bin/true', { args: ['true', 'x'.repeat(200_000)] }, 'argument list too long (E2BIG), posix_spawn'],
    ['/bin/true', { directory: '/nowhere' }, 'no such file or directory (ENOENT), posix_spawn'],
    ['/bin/true', { args: ['true', 'a\0b'] }, 'A string with a zero byte is none of C.'],
    [
      '/bin/true',
      { environment: [['A', Buffer.from('a\0b')]] as const },
      'A string with a zero byte is none of C.',
    ],
  ])('that can not be started, %s %p, says why', (file, options, message) => {
    expect(() => spawnProcess({ file, args: ['x'], environment: [], ...options })).toThrow(message)
  })
})

describe('a command', () => {
  it('whose bytes are not UTF-8 is run as it is', async () => {
    const command = Buffer.concat([
      Buffer.from("printf %s '"),
      Buffer.from('a\xff\\n%d\xc3\n', 'latin1'),
      Buffer.from("'|od -An -tx1\n"),
    ])
    const { stdout } = await runIn(testJob(), command)
    expect(stdout).toBe(' 61 ff 5c 6e 25 64 c3 0a\n')
  })

  it('of 100 KiB whose bytes are not UTF-8 is run', async () => {
    const command = Buffer.concat([
      Buffer.from(': '),
      Buffer.alloc(100 * 1024, 0xe9),
      Buffer.from('; echo ran'),
    ])
    expect((await runIn(testJob(), command)).stdout).toBe('ran\n')
  })

  const start = async (command: Buffer): Promise<unknown> =>
    testJob().spawn({ command, environment: new Map(), terminal: undefined })

  it('with a zero byte is refused', async () => {
    await expect(start(Buffer.from('a\0b'))).rejects.toThrow(
      'The command holds a zero byte, which no command line can have.',
    )
  })

  it('that is too long for the system is refused with the reason', async () => {
    await expect(start(Buffer.alloc(200_000, 'a'))).rejects.toThrow(
      'The command could not be started in the job: argument list too long (E2BIG).',
    )
  })
})

describeAsRoot('a limit that is reached', () => {
  /** As a user to whom limits apply, sets one and starts a session. */
  async function startWith(limit: string): Promise<string> {
    const url = (name: string): string => JSON.stringify(pathToFileURL(`src/${name}.ts`).href)
    const script = `
      const { localJob } = await import(${url('job/local-job')})
      const { libc } = await import(${url('process/libc')})
      const { setOpenFiles } = await import(${url('process/open-files')})
      const { lowestFree } = await import(${url('process/descriptors')})
      const job = localJob({ id: 'x', command: [] })
      const request = { command: Buffer.from('true'), environment: new Map(), terminal: undefined }
      await (await job.spawn(request)).ended
      ${limit}
      await job.spawn(request).catch((error) => console.log(error.code, error.message))
      process.exit()`
    const register = join(process.cwd(), 'test/helpers/register-typescript.mjs')
    const args = ['--import', register, '--input-type=module', '-e', script]
    const { stdout, stderr } = await runProgram(process.execPath, args, { uid: 54_321, gid: 54_321 })
    expect(stderr).toBe('')
    return stdout
  }

  it('of processes is named', async () => {
    const none = 'const limit = Buffer.alloc(16); libc().prlimit(0, 6, limit, null)'
    expect(await startWith(none)).toBe(
      'spawn-failed The command could not be started in the job: resource temporarily unavailable (EAGAIN), the limit of processes is reached.\n',
    )
  })

  it('of open files is named', async () => {
    expect(await startWith('setOpenFiles(lowestFree() + 2)')).toBe(
      'spawn-failed The command could not be started in the job: too many open files (EMFILE), sshjob has as many files open as it may have.\n',
    )
  })
})
