import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { copyFile, cp, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { until } from '../../../helpers/bytes.js'
import {
  LAUNCH,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  SSHJOB_SERVER,
  startProgram,
} from '../../../helpers/programs.js'
import { environmentFor, type ServedJob, serveJob } from '../../../helpers/served-job.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const MIB = 1024 * 1024

/** The files left in a folder, and the processes that work in it. */
function leftIn(directory: string): string[] {
  const working = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${directory}/`)
    } catch {
      // It has ended meanwhile, or is another user's.
      return false
    }
  })
  return [...readdirSync(directory), ...working]
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('sshjob JOB COMMAND', () => {
  const folder = temporaryDirectory()
  let job: ServedJob

  beforeEach(async () => {
    job = await serveJob(folder(), 'train')
  })
  afterEach(() => job.stop())

  const run = (...args: string[]): Promise<ProgramResult> => runProgram(SSHJOB, args, { env: job.env })
  const start = (...args: string[]): RunningProgram => startProgram(SSHJOB, args, { env: job.env })

  it('gives the output, the errors and the exit status of the command', async () => {
    expect(await run('train', 'echo out; echo err >&2; exit 7')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 7,
      signal: null,
    })
  })

  it('keeps what V8 has compiled in a session beside the program, once, and nothing else', async () => {
    const programs = join(folder(), 'dist/programs')
    await cp(dirname(LAUNCH), programs, {
      recursive: true,
      filter: (file) => basename(file) !== 'cache',
    })
    const copy = join(folder(), 'dist/sshjob.cjs')
    await copyFile(SSHJOB, copy)
    const env = { ...job.env, HOME: join(folder(), 'home'), XDG_CACHE_HOME: join(folder(), 'home') }
    const start = (...args: string[]) => runProgram(copy, args, { env })
    const kept = async (): Promise<string[]> => readdir(join(programs, 'cache')).catch(() => [])
    await start('--version')
    expect(await kept()).toEqual([])
    await start('train', 'true')
    const [entry = ''] = await kept()
    expect(entry).toMatch(/^sshjob-[0-9a-f]{16}-v\d+\.\d+\.\d+-\w+$/)
    const written = statSync(join(programs, 'cache', entry)).ino
    expect(await start('train', 'echo out')).toMatchObject({ stdout: 'out\n' })
    expect(await kept()).toEqual([entry])
    expect(statSync(join(programs, 'cache', entry)).ino).toBe(written)
    expect(existsSync(env.HOME)).toBe(false)
  })

  it('passes on a 255 of the command without a word', async () => {
    expect(await run('train', 'exit 255')).toMatchObject({ exitCode: 255, stdout: '', stderr: '' })
  })

  it('says which signal ended the command, unless told to be quiet', async () => {
    const stderr = 'sshjob: The remote process was ended by signal KILL.\n'
    expect(await run('train', 'kill -KILL $$')).toMatchObject({ exitCode: 137, stderr })
    expect(await run('-q', 'train', 'kill -KILL $$')).toMatchObject({ exitCode: 137, stderr: '' })
  })

  it('runs a shell on pipes when its input is no terminal', async () => {
    const end = await runProgram(SSHJOB, ['train'], { env: job.env, stdin: 'echo $((6 * 7))\nexit 3\n' })
    expect(end).toMatchObject({ stdout: '42\n', exitCode: 3 })
  })

  it('carries bytes both ways as they are', async () => {
    const bytes = randomBytes(20 * MIB)
    const program = startProgram(SSHJOB, ['train', 'cat'], { env: job.env, stdin: bytes })
    await program.ended
    expect(sha256(program.stdout())).toBe(sha256(bytes))
  })

  it('passes the end of the input on, and still gets output after it', async () => {
    const command = 'wc -c; sleep 0.1; echo after'
    const end = await runProgram(SSHJOB, ['train', command], { env: job.env, stdin: 'x'.repeat(MIB) })
    expect(end.stdout).toBe(`${MIB}\nafter\n`)
  })

  it('does not stay for an input that nobody writes', async () => {
    const program = start('train', 'true')
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
  })

  it('leaves the input alone with -n', async () => {
    const program = start('-n', 'train', 'cat; echo done')
    await program.ended
    expect(program.stdout().toString()).toBe('done\n')
  })

  it('ends the command quietly when nobody reads its output any more', async () => {
    const program = start('train', 'yes')
    await program.waitFor(/y/)
    program.child.stdout.destroy()
    expect(await program.ended).toEqual({ exitCode: 141, signal: null })
    expect(program.stderr().toString()).toBe('')
  })

  it('adds variables to the environment: those asked for, and the locale', async () => {
    const env = { ...job.env, LANG: 'C.UTF-8', LC_FROBNICATE: 'yes', OTHER: 'not passed on' }
    const command = 'echo "$COLOUR $LANG $LC_FROBNICATE $SSHJOB_JOB_ID [$OTHER]"'
    const end = await runProgram(SSHJOB, ['--env', 'COLOUR=deep blue', 'train', command], { env })
    expect(end.stdout).toBe('deep blue C.UTF-8 yes train []\n')
  })

  it('sends a command whose bytes are not UTF-8 as they are', async () => {
    const script = `exec "$1" "$2" train printf "$(printf 'caf\\351')"`
    const program = startProgram('/bin/sh', ['-c', script, 'sh', process.execPath, SSHJOB], { env: job.env })
    await program.ended
    expect(program.stdout()).toEqual(Buffer.from('caf\xe9', 'latin1'))
  })

  it('gives a command no terminal because of -t alone, and says how to get one', async () => {
    const end = await run('-t', 'train', 'test -t 0 || echo none')
    expect(end).toMatchObject({
      stdout: 'none\n',
      stderr: 'sshjob: The input is no terminal, so the command gets none; -tt gives it one all the same.\n',
    })
  })

  it('gives a command a terminal with -tt', async () => {
    const end = await run('-tt', '-q', 'train', 'test -t 0 && stty size && echo $TERM >&2; exit 4')
    expect(end.stdout).toBe(`24 80\r\n${process.env.TERM ?? 'dumb'}\r\n`)
    expect(end).toMatchObject({ stderr: '', exitCode: 4 })
  })

  it('hands a signal on, and ends as the command does', async () => {
    const command = 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.05; done'
    const program = start('train', command)
    await program.waitFor(/ready/)
    program.kill('SIGINT')
    expect(await program.ended).toEqual({ exitCode: 5, signal: null })
    expect(program.stdout().toString()).toBe('ready\ncaught\n')
  })

  it('ends by the signal that it has handed on when the command does', async () => {
    const program = start('train', 'echo ready; exec sleep 1000')
    await program.waitFor(/ready/)
    program.kill('SIGTERM')
    expect(await program.ended).toEqual({ exitCode: null, signal: 'SIGTERM' })
    expect(program.stderr().toString()).toBe('')
  })

  it('ends at the second signal when the command ignores the first', async () => {
    const command = 'trap "echo ignored" INT; echo ready; while :; do sleep 0.05; done'
    const program = start('train', command)
    await program.waitFor(/ready/)
    program.kill('SIGINT')
    await program.waitFor(/ignored/)
    program.kill('SIGINT')
    expect(await program.ended).toEqual({ exitCode: null, signal: 'SIGINT' })
  })

  it('fails with one sentence and 255 when the server is gone', async () => {
    const program = start('train', 'echo ready; sleep 1000')
    await program.waitFor(/ready/)
    job.server.kill('SIGKILL')
    expect(await program.ended).toEqual({ exitCode: 255, signal: null })
    expect(program.stderr().toString()).toMatch(/^sshjob: .+\.\n$/)
  })

  it('stays with -N until the job ends, and says why it ends', async () => {
    const program = start('-Nv', 'train')
    await program.waitFor(/info: connected .*id=train/)
    await job.stop()
    expect(await program.ended).toEqual({ exitCode: 255, signal: null })
    expect(program.stderr().toString()).toMatch(/^sshjob: .+\.\n$/m)
  })

  it('takes the way through a command', async () => {
    const carrier = `'${process.execPath}' '${SSHJOB_SERVER}' -i`
    const end = await run('--proxy-command', carrier, 'inside', 'echo "$COLOUR"; exit 6')
    expect(end).toMatchObject({ stdout: '\n', stderr: '', exitCode: 6 })
  })

  it('tells of a proxy command that fails', async () => {
    const end = await run('--proxy-command', `sh -c 'exit 3'`, 'inside', 'true')
    expect(end.exitCode).toBe(255)
    expect(end.stderr).toMatch(/^sshjob: .*exit code 3\..*\n$/)
  })

  it.each([
    [['nope', 'true'], /^sshjob: No job nope .*sshjob ls.*\n$/],
    [['-z', 'train'], /^sshjob: There is no option -z\. Run 'sshjob --help' for the options\.\n$/],
    [['../train', 'true'], /^sshjob: "\.\.\/train" is not a job id: .*\n$/],
  ])('fails with 255 and one sentence for %j', async (args, stderr) => {
    const end = await run(...args)
    expect(end).toMatchObject({ exitCode: 255, stdout: '' })
    expect(end.stderr).toMatch(stderr)
  })
})

describe('sshjob --wait', () => {
  const folder = temporaryDirectory()

  it('says once what it waits for, and goes on when the job starts', async () => {
    const env = environmentFor(folder())
    const program = startProgram(SSHJOB, ['--wait', 'late', 'echo here'], { env })
    await program.waitFor(/Waiting for job late/)
    const job = await serveJob(folder(), 'late')
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(program.stdout().toString()).toBe('here\n')
    expect(program.stderr().toString()).toMatch(/^sshjob: Waiting for job late\. .+\.\n$/)
    await job.stop()
  })

  it('gives up after the time that it was given', async () => {
    const end = await runProgram(SSHJOB, ['-q', '--wait=0.2', 'never', 'true'], {
      env: environmentFor(folder()),
    })
    expect(end.exitCode).toBe(255)
    expect(end.stderr).toMatch(/^sshjob: No job never .*\n$/)
  })
})

describe('sshjob ls', () => {
  const folder = temporaryDirectory()

  it('lists the jobs, for people and for programs', async () => {
    const job = await serveJob(folder(), 'train')
    const table = await runProgram(SSHJOB, ['ls'], { env: job.env })
    expect(table.stdout).toMatch(/^ID +STATE +HOST +FOR +COMMAND OR REASON\ntrain +running +\S+ +\S+ +cat\n$/)
    const { stdout } = await runProgram(SSHJOB, ['ls', '--json'], { env: job.env })
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ engine: 'local', id: 'train', state: 'running', command: ['cat'] }),
    ])
    await job.stop()
  })

  it('says on stderr that there are none', async () => {
    expect(await runProgram(SSHJOB, ['ls'], { env: environmentFor(folder()) })).toEqual({
      stdout: '',
      stderr: 'No jobs are running here. Start one with: sshjob-server --job-id NAME -- COMMAND\n',
      exitCode: 0,
      signal: null,
    })
  })
})

describe('sshjob demo', () => {
  const folder = temporaryDirectory()

  it('shows a job and what sessions give, and leaves nothing behind', async () => {
    const env = { ...process.env, TMPDIR: folder() }
    const end = await runProgram(SSHJOB, ['demo'], { env })
    expect(end).toMatchObject({ exitCode: 0, stderr: '' })
    expect(end.stdout).toMatch(/CIFAR-10 in .*, beside process \d+/)
    expect(end.stdout).toMatch(/ {2}exit status 7\n/)
    expect(end.stdout).toMatch(/ {2}exit status 143: .*TERM/)
    expect(end.stdout).toMatch(/ {2}\/dev\/pts\/\d+, 43 132\n/)
    // A process that has been ended, or that sees its pipe end, needs a moment.
    await until(() => leftIn(folder()).length === 0)
  })

  it('cleans up after Ctrl-C', async () => {
    const program = startProgram(SSHJOB, ['demo'], { env: { ...process.env, TMPDIR: folder() } })
    await program.waitFor(/sshjob-server --job-id/)
    program.kill('SIGINT')
    await once(program.child, 'close')
    await until(() => leftIn(folder()).length === 0)
  })
})
