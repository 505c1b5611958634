import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sha256, until } from '../../../helpers/bytes.js'
import { describeWith } from '../../../helpers/needs.js'
import { runProgram, SSHJOB, startProgram } from '../../../helpers/programs.js'
import { type ServedJob, serveJob } from '../../../helpers/served-job.js'
import {
  answerAfterEnd,
  dial,
  echoSocket,
  exchange,
  serveSockets,
  unusedPort,
} from '../../../helpers/sockets.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const MIB = 1024 * 1024
const folder = temporaryDirectory()
let job: ServedJob

const start = (...args: string[]) => startProgram(SSHJOB, args, { env: job.env })

describe('sshjob with forwardings', () => {
  beforeEach(async () => {
    job = await serveJob(folder(), 'train')
  })
  afterEach(() => job.stop())

  it('-L leads into the job, on ports and unix sockets, and leaves none behind', async () => {
    const { port } = await serveSockets(echoSocket)
    const here = join(folder(), 'here')
    const forwards = ['-L', `0:127.0.0.1:${port}`, '-L', `${here}:127.0.0.1:${port}`]
    const program = start('-N', ...forwards, 'train')
    await program.waitFor(/Listening on localhost:\d+\./)
    const listening = Number(/localhost:(\d+)/.exec(program.stderr().toString())?.[1])
    const data = randomBytes(20 * MIB)
    expect(sha256(await exchange(await dial(listening), data))).toBe(sha256(data))
    await until(() => existsSync(here))
    expect((await exchange(await dial(here), 'abc')).toString()).toBe('abc')
    program.kill('SIGINT')
    expect(await program.ended).toEqual({ exitCode: null, signal: 'SIGINT' })
    expect(existsSync(here)).toBe(false)
  })

  it('-L and -D serve a command as well, and end with it', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const forwards = ['-L', `0:127.0.0.1:${port}`, '-D', '0']
    const program = start(...forwards, 'train', 'read line; echo "got $line"')
    await program.waitFor(/Listening on .*\n.*Listening on localhost:\d+/)
    const [listening = 0, socks = 0] = [
      ...program
        .stderr()
        .toString()
        .matchAll(/:(\d+)\.$/gm),
    ].map((m) => Number(m[1]))
    expect((await exchange(await dial(listening), 'abc')).toString()).toBe('got 3')
    const wish = Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff, 65, 66])
    expect((await exchange(await dial(socks), wish)).toString()).toMatch(/got 2$/)
    program.child.stdin.end('it\n')
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(program.stdout().toString()).toBe('got it\n')
  })

  it('-R leads out of the job, and says which port it got', async () => {
    const { port } = await serveSockets(echoSocket)
    const program = start('-N', '-R', `0:127.0.0.1:${port}`, 'train')
    await program.waitFor(/^Allocated port (\d+) for remote forward to 127\.0\.0\.1:\d+$/m)
    const inTheJob = Number(/Allocated port (\d+)/.exec(program.stderr().toString())?.[1])
    expect((await exchange(await dial(inTheJob), 'abc')).toString()).toBe('abc')
  })

  it('-R PORT alone is a SOCKS server in the job, and says which port it got', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const program = start('-N', '-R', '0', 'train')
    await program.waitFor(/^sshjob: Listening on localhost:\d+ in the job\.$/m)
    const socks = Number(/localhost:(\d+) in/.exec(program.stderr().toString())?.[1])
    const wish = Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff, 65, 66])
    expect((await exchange(await dial(socks), wish)).toString()).toMatch(/got 2$/)
  })

  it('-W connects the input and the output, both to their ends', async () => {
    const { port } = await serveSockets(answerAfterEnd)
    const env = job.env
    const result = await runProgram(SSHJOB, ['-W', `localhost:${port}`, 'train'], {
      env,
      stdin: 'x'.repeat(MIB),
    })
    expect(result).toEqual({ stdout: `got ${MIB}`, stderr: '', exitCode: 0, signal: null })
  })

  it('-R and -W take unix sockets', async () => {
    const [here, there] = [join(folder(), 'r-here'), join(folder(), 'r-there')]
    await serveSockets(answerAfterEnd, here)
    const program = start('-N', '-R', `${there}:${here}`, 'train')
    await until(() => existsSync(there))
    const result = await runProgram(SSHJOB, ['-W', there, 'train'], { env: job.env, stdin: 'abc' })
    expect(result).toEqual({ stdout: 'got 3', stderr: '', exitCode: 0, signal: null })
    program.kill('SIGTERM')
    await program.ended
    await until(() => !existsSync(there))
  })

  it('-W ends when the other side has, though its input stays open', async () => {
    const { port } = await serveSockets((socket) => socket.end('bye'))
    const program = start('-W', `localhost:${port}`, 'train')
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(program.stdout().toString()).toBe('bye')
  })

  it('fails with one sentence where a forwarding can not be had', async () => {
    const { port } = await serveSockets(echoSocket)
    const env = job.env
    const path = join(folder(), 'not-left-behind')
    const args = ['-N', '-L', `${path}:localhost:80`, '-L', `${port}:localhost:80`, 'train']
    const taken = await runProgram(SSHJOB, args, { env })
    expect(existsSync(path)).toBe(false)
    expect(taken).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(/^sshjob: Port \d+ .* is in use\.\n$/),
    })
    const there = await runProgram(SSHJOB, ['-N', '-R', `${port}:localhost:80`, 'train'], { env })
    expect(there).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(/^sshjob: The server does not listen.*\n$/),
    })
    const nobody = await runProgram(SSHJOB, ['-W', `127.0.0.1:${await unusedPort()}`, 'train'], { env })
    expect(nobody).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(/^sshjob: .*nobody listens there\.\n$/),
    })
    const spec = await runProgram(SSHJOB, ['-L', 'x', 'train'], { env })
    expect(spec).toMatchObject({ exitCode: 255, stderr: expect.stringMatching(/^sshjob: -L takes .*\n$/) })
  })
})

describeWith(['ssh-agent', 'ssh-add', 'ssh-keygen'], 'sshjob -A', () => {
  it('lets the session use the agent, and nobody after it', async () => {
    const served = await serveJob(folder(), 'agent')
    const socket = join(folder(), 'real-agent')
    const agent = startProgram('ssh-agent', ['-D', '-a', socket])
    await agent.waitFor(/SSH_AUTH_SOCK/)
    const env = { ...served.env, SSH_AUTH_SOCK: socket }
    const key = join(folder(), 'key')
    await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'of the test', '-f', key], { env })
    await runProgram('ssh-add', [key], { env })
    const command = 'ssh-add -l; echo $SSH_AUTH_SOCK'
    const { stdout } = await runProgram(SSHJOB, ['-A', 'agent', command], { env })
    expect(stdout).toMatch(/of the test/)
    const path = stdout.trim().split('\n').at(-1) ?? ''
    expect(path).not.toBe(socket)
    await until(() => !existsSync(path))
    await agent.stop()
    await served.stop()
  })
})

describe('a starter that forbids forwardings', () => {
  it.each([
    [['--allow-forwarding', 'none'], "the job's starter allows no local forwarding."],
    [['--permit-open', 'localhost:1'], "the job's starter does not permit localhost:2."],
  ])('%j says so', async (options, why) => {
    const served = await serveJob(folder(), 'closed', ...options)
    const result = await runProgram(SSHJOB, ['-W', 'localhost:2', 'closed'], { env: served.env })
    expect(result.stderr).toBe(`sshjob: The other side refused to connect: ${why}\n`)
    // Waiting for it would be in vain.
    const open = await runProgram(SSHJOB, ['open', 'closed', '2'], { env: served.env })
    expect(open).toMatchObject({ exitCode: 255, stderr: expect.stringContaining(why) })
    await served.stop()
  })
})
