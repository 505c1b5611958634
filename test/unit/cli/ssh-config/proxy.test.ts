import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { carry } from '../../../../src/cli/ssh-config/proxy.js'
import { streamPair } from '../../../../src/streams/memory.js'
import { describeWith } from '../../../helpers/needs.js'
import {
  type ProgramResult,
  runProgram,
  SSHJOB,
  SSHJOB_SERVER,
  startProgram,
} from '../../../helpers/programs.js'
import { environmentFor, type ServedJob, serveJob } from '../../../helpers/served-job.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const MIB = 1024 * 1024

describe('carrying bytes', () => {
  it('passes the end of each direction on, and ends with the second', async () => {
    const [near, far] = streamPair()
    const [input, output] = [new PassThrough(), new PassThrough()]
    const done = carry(near, { input, output })
    input.end('question')
    const asked: Buffer[] = []
    far.on('data', (chunk: Buffer) => asked.push(chunk))
    await once(far, 'end')
    expect(Buffer.concat(asked).toString()).toBe('question')
    far.end('answer')
    expect(Buffer.concat(await output.toArray()).toString()).toBe('answer')
    await done
  })

  it('delivers what had arrived when the connection fails', async () => {
    const [near, far] = streamPair()
    const [input, output] = [new PassThrough(), new PassThrough()]
    const done = carry(near, { input, output })
    far.on('error', () => far.destroy())
    far.write('last words')
    await once(output, 'readable')
    far.destroy(new Error('cut'))
    expect(Buffer.concat(await output.toArray()).toString()).toBe('last words')
    // The client sees the end, and goes.
    input.end()
    await done
  })

  it('ends when the client has gone', async () => {
    const [near, far] = streamPair()
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
    const done = carry(near, { input: new PassThrough(), output })
    far.on('error', () => far.destroy())
    far.write('unread')
    await done
    expect(near.destroyed).toBe(true)
  })
})

describeWith(['ssh'], 'ssh through sshjob proxy', () => {
  const folder = temporaryDirectory()
  let job: ServedJob
  let config: string

  beforeEach(async () => {
    job = await serveJob(folder(), 'Train')
    config = join(folder(), 'config')
    const { stdout } = await runProgram(SSHJOB, ['ssh-config'], { env: job.env })
    await writeFile(config, stdout)
  })
  afterEach(() => job.stop())

  const ssh = (...args: string[]): Promise<ProgramResult> =>
    runProgram('ssh', ['-F', config, ...args], { env: job.env })

  it('runs a command, and gives its output, errors and exit status', async () => {
    expect(await ssh('Train.job', 'echo out; echo err >&2; exit 9')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 9,
      signal: null,
    })
  })

  it('needs nothing that was made before: keys of this user are made when they are missing', async () => {
    await rm(join(folder(), 'sshjob', 'openssh'), { recursive: true })
    expect(await ssh('Train.job', 'exit 3')).toMatchObject({ exitCode: 3, stderr: '' })
  })

  it('finds a job whose name has capitals under one that has none', async () => {
    expect(await ssh('train.job', 'echo $SSHJOB_JOB_ID')).toMatchObject({ stdout: 'Train\n', exitCode: 0 })
  })

  it('carries bytes both ways as they are', async () => {
    const bytes = randomBytes(8 * MIB)
    const program = startProgram('ssh', ['-F', config, 'Train.job', 'cat'], { env: job.env, stdin: bytes })
    await program.ended
    const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex')
    expect(digest(program.stdout())).toBe(digest(bytes))
  })

  it('lets many in at once, each with a host key of its own', async () => {
    const numbers = Array.from({ length: 8 }, (_, index) => index)
    const ends = await Promise.all(numbers.map((number) => ssh('Train.job', `exit ${number}`)))
    expect(ends.map(({ exitCode }) => exitCode)).toEqual(numbers)
  })

  it('does not let ssh talk to a server with another key', async () => {
    const forged = join(folder(), 'known_hosts')
    await writeFile(forged, `train.job ssh-ed25519 ${Buffer.alloc(51).toString('base64')}\n`)
    const end = await ssh('-o', `UserKnownHostsFile=${forged}`, 'Train.job', 'true')
    expect(end.exitCode).toBe(255)
    expect(end.stderr).toMatch(/Host key verification failed/)
  })

  it('says in one sentence that there is no such job', async () => {
    const end = await ssh('nope.job', 'true')
    expect(end.exitCode).toBe(255)
    expect(end.stderr).toMatch(/^sshjob: No job nope of yours runs on this machine.*$/m)
  })

  it('says in one sentence why the server refuses, without what went on inside', async () => {
    const full = startProgram(SSHJOB_SERVER, ['--job-id', 'full', '--max-sessions', '1', '--', 'cat'], {
      env: job.env,
    })
    const holder = startProgram(SSHJOB, ['-q', '--wait=20', 'full', 'echo in; cat'], { env: job.env })
    await holder.waitFor(/in/)
    const end = await ssh('full.job', 'true')
    expect(end).toMatchObject({ exitCode: 255, stdout: '' })
    expect(end.stderr).toMatch(
      /^sshjob: All 1 sessions of this job are taken: try again later\.\r?\n(kex_exchange_identification|Connection closed)/,
    )
    expect(end.stderr).not.toMatch(/^ +at |EEXIST/m)
    holder.child.stdin.end()
    await holder.ended
    full.child.stdin.end()
    await full.ended
  })

  it('reaches what a command leads to, by the name without its suffix', async () => {
    const command = `${process.execPath} ${SSHJOB_SERVER} --job-id %h -i`
    const args = ['ssh-config', '--host-suffix', '.box', '--proxy-command', command]
    await writeFile(config, (await runProgram(SSHJOB, args, { env: job.env })).stdout)
    expect(await ssh('there.box', 'echo $SSHJOB_JOB_ID; exit 4')).toMatchObject({
      exitCode: 4,
      stdout: 'there\n',
      stderr: '',
    })
  })

  it('keeps a host name with a quote away from the shell', async () => {
    const end = await ssh(`x'$(touch ${folder()}/pwned)'.job`, 'true')
    expect(end.exitCode).toBe(255)
    expect((await runProgram('ls', [folder()], {})).stdout).not.toContain('pwned')
  })
})

describe('sshjob proxy', () => {
  const folder = temporaryDirectory()

  it.each([[[]], [['a', 'b']], [['-x', 'a']], [['--proxy-command', 'cat %x', 'a']]])(
    'is called with one job, not with %j',
    async (args) => {
      const end = await runProgram(SSHJOB, ['proxy', ...args], { env: environmentFor(folder()) })
      expect(end).toMatchObject({ exitCode: 255, stdout: '' })
      expect(end.stderr).toMatch(/^sshjob: .*\n$/)
    },
  )

  it.each(['proxy', 'demo', 'ssh-config'])('sshjob %s --help and -h help', async (command) => {
    for (const option of ['--help', '-h']) {
      const end = await runProgram(SSHJOB, [command, option], { env: environmentFor(folder()) })
      expect(end).toMatchObject({ exitCode: 0, stderr: '' })
      expect(end.stdout).toMatch(new RegExp(`^Usage: sshjob ${command}`))
    }
  })

  it('takes the job with another suffix', async () => {
    const args = ['proxy', '--host-suffix', '.gpu', 'nope.gpu']
    const end = await runProgram(SSHJOB, args, { env: environmentFor(folder()) })
    expect(end.stderr).toMatch(/^sshjob: No job nope /)
  })
})
