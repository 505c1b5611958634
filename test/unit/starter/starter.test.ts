import { once } from 'node:events'
import type net from 'node:net'
import path from 'node:path'
import { connect } from '../../../src/client/connect.js'
import type { JobConnection } from '../../../src/client/types.js'
import { SshjobError } from '../../../src/core/errors.js'
import { type Logger, silent } from '../../../src/core/log.js'
import { sendClientHello } from '../../../src/hello/exchange.js'
import { everything } from '../../../src/permissions/permissions.js'
import { listenUnix } from '../../../src/sockets/listen-unix.js'
import { connectUnix } from '../../../src/sockets/unix.js'
import { generateKey } from '../../../src/ssh/keys.js'
import { acceptFrom } from '../../../src/starter/accept-from.js'
import { exitStatusOf, jobEnded } from '../../../src/starter/job-end.js'
import { type Origin, type Starter, type StarterOptions, startStarter } from '../../../src/starter/starter.js'
import { streamPair } from '../../../src/streams/memory.js'
import { testJob } from '../../helpers/job-session.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const OVER = jobEnded('test', { exitCode: 3 })
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0='

describe('the starter', () => {
  const directory = temporaryDirectory()
  const cleanup: (() => Promise<unknown>)[] = []
  const logged: string[] = []
  const log: Logger = { ...silent, warn: (_fields, message) => logged.push(message) }
  let file = ''
  let count = 0

  async function start(options: Partial<StarterOptions> = {}): Promise<Starter> {
    count += 1
    file = path.join(directory(), `s${count}`)
    const server = await listenUnix(file)
    const starter = startStarter({ log, ...options })
    acceptFrom(server, starter, { path: 'unix' }, log)
    cleanup.push(async () => {
      await starter.finish(OVER)
      server.close()
      await once(server, 'close')
    })
    return starter
  }

  async function startJob(options: Partial<StarterOptions> = {}): Promise<Starter> {
    const starter = await start(options)
    starter.begin(testJob())
    return starter
  }

  async function raw(): Promise<net.Socket> {
    const socket = await connectUnix(file)
    socket.on('error', () => undefined)
    cleanup.unshift(async () => socket.destroy())
    return socket
  }

  async function enter(): Promise<JobConnection> {
    const connection = await connect(await raw())
    cleanup.unshift(() => connection.close())
    return connection
  }

  const ask = async (): Promise<unknown> => sendClientHello(await raw(), {})
  const run = async (connection: JobConnection, command: string): Promise<string> =>
    (await (await connection.exec(command, { stdin: null })).output()).stdout.toString()

  afterEach(async () => {
    for (const work of cleanup.splice(0)) await work()
    logged.length = 0
  })

  it('tells clients to try again until the job has started', async () => {
    const starter = await start()
    await expect(ask()).rejects.toMatchObject({ code: 'job-not-started', retry: true })
    await expect(enter()).rejects.toMatchObject({ code: 'job-not-started' })
    starter.begin(testJob())
    await expect(ask()).resolves.toMatchObject({ job: { id: 'test' } })
  })

  it('serves several sessions at once', async () => {
    const starter = await startJob()
    const [a, b] = [await enter(), await enter()]
    await expect(Promise.all([run(a, 'echo a'), run(b, 'echo b')])).resolves.toEqual(['a\n', 'b\n'])
    expect(starter.sessions).toBe(2)
  })

  it('refuses more sessions than it may have, answers questions all the same, and has room again later', async () => {
    const starter = await startJob({ maxSessions: 1 })
    const first = await enter()
    await expect(enter()).rejects.toMatchObject({
      code: 'busy',
      message: 'All 1 sessions of this job are taken: try again later.',
      retry: true,
    })
    await expect(ask()).resolves.toMatchObject({ ok: true })
    await expect(run(first, 'echo still')).resolves.toBe('still\n')
    await first.close()
    while (starter.sessions > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await expect(run(await enter(), 'echo next')).resolves.toBe('next\n')
  })

  it('counts a client that has a key and does not authenticate, so that the limit is never passed', async () => {
    await startJob({ maxSessions: 1 })
    const socket = await raw()
    await sendClientHello(socket, { publicKey: KEY }).catch((error: unknown) => error)
    const second = await sendClientHello(await raw(), { publicKey: KEY }).catch((error: unknown) => error)
    const codes = second instanceof SshjobError ? second.code : 'accepted'
    expect(['busy', 'hello-invalid']).toContain(codes)
  })

  it('refuses one half-open connection too many, and takes the next once one is gone', async () => {
    await startJob({ maxStartups: 3 })
    const open = [await raw(), await raw(), await raw()]
    await expect(ask()).rejects.toMatchObject({ code: 'busy', retry: true })
    open[0]?.destroy()
    let answer: unknown
    while (answer === undefined) answer = await ask().catch(() => undefined)
    expect(answer).toMatchObject({ ok: true })
    expect(logged).toContain('too many connections that have not authenticated: refusing more')
  })

  it('never lets a thousand half-open connections disturb a session', async () => {
    await startJob()
    const session = await enter()
    const open = (count: number): Promise<unknown> => Promise.all([...Array(count)].map(() => raw()))
    await open(200)
    // Told so, or, past a hundred that are being told, just closed. Asked before the first of them are given up.
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^(busy|connection-lost)$/) })
    for (let round = 0; round < 8; round++) await open(100)
    await expect(run(session, 'echo here')).resolves.toBe('here\n')
    // A flood is one line in the log.
    expect(logged).toEqual(['too many connections that have not authenticated: refusing more'])
  })

  it('refuses garbage, logs it, and goes on', async () => {
    await startJob()
    const session = await enter()
    for (const bytes of [
      'GET / HTTP/1.0\r\n\r\n',
      'sshjob-hello/1 {\n',
      Buffer.alloc(100_000, 'x'),
      '\0',
      'SSH-2.0-x\r\n',
    ]) {
      const socket = await raw()
      socket.resume().write(bytes)
      await once(socket, 'end')
    }
    expect(logged).toEqual(Array(5).fill('client refused'))
    await expect(run(session, 'echo here')).resolves.toBe('here\n')
  })

  it('takes any stream, and does for whoever comes as it is decided by the hello and the way', async () => {
    const seen: unknown[] = []
    const starter = startStarter({
      log,
      admit: ({ capability }, origin) => {
        seen.push(origin)
        if (capability === undefined) throw new SshjobError('denied', 'There is no capability.')
        return { permissions: [everything('the test')], environment: { CAPABILITY: capability } }
      },
    })
    starter.begin(testJob())
    const open = (origin: Origin) => {
      const [near, far] = streamPair()
      starter.accept(far, origin)
      return near
    }
    await expect(connect(open({ path: 'tls' }))).rejects.toMatchObject({ code: 'denied' })
    const { publicKey, privateKey } = generateKey()
    const stream = open({ path: 'relay', peer: '192.0.2.7 1 192.0.2.1 22' })
    const { hostKey = '' } = await sendClientHello(stream, { publicKey, capability: 'signed' })
    const connection = await connect(stream, { credentials: { privateKey, hostKey } })
    await expect(run(connection, 'echo $CAPABILITY $SSH_CLIENT')).resolves.toBe('signed 192.0.2.7 1 22\n')
    expect(seen).toEqual([{ path: 'tls' }, { path: 'relay', peer: '192.0.2.7 1 192.0.2.1 22' }])
    await connection.close()
    await starter.finish(OVER)
  })

  it('says nothing of those who only look whether it is there', async () => {
    await startJob()
    const socket = await raw()
    socket.end()
    await once(socket.resume(), 'close')
    expect(logged).toEqual([])
  })

  it('refuses, and stays, where serving fails at once', async () => {
    await startJob({
      serve: () => {
        throw new TypeError('a mistake')
      },
    })
    await expect(enter()).rejects.toMatchObject({ code: 'internal', message: 'a mistake' })
    await expect(enter()).rejects.toMatchObject({ code: 'internal' })
  })

  it('closes the stream after a question', async () => {
    await startJob()
    const socket = await raw()
    await sendClientHello(socket, {})
    socket.end()
    await once(socket.resume(), 'close')
  })

  it('tells open sessions why they end, and later clients that the job is over', async () => {
    const starter = await startJob()
    const session = await enter()
    const waiting = await raw()
    const asked = sendClientHello(waiting, {}).catch((error: unknown) => error)
    await asked
    const half = await raw()
    const shell = await session.exec('echo ready; sleep 60')
    await once(shell.stdout, 'data')
    const stderr: Buffer[] = []
    shell.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    await starter.finish(OVER)
    await session.closed
    expect(Buffer.concat(stderr).toString()).toContain('The job test ended with exit code 3.')
    expect(starter.sessions).toBe(0)
    await expect(ask()).rejects.toMatchObject({
      code: 'job-ended',
      message: 'The job test ended with exit code 3.',
    })
    const line: Buffer[] = []
    half.on('data', (chunk: Buffer) => line.push(chunk))
    await once(half, 'end')
    expect(Buffer.concat(line).toString()).toContain('"code":"job-ended"')
  })

  it('lets sessions go on until the last has closed', async () => {
    const starter = await startJob()
    const [a, b] = [await enter(), await enter()]
    let finished = false
    const finish = starter.finish(OVER, { lingerMs: 'forever' }).then(() => {
      finished = true
    })
    await a.close()
    await expect(run(b, 'echo still here')).resolves.toBe('still here\n')
    await expect(ask()).rejects.toMatchObject({ code: 'job-ended' })
    expect(finished).toBe(false)
    await b.close()
    await finish
  })

  it('lets sessions go on for a time, and ends them then', async () => {
    const starter = await startJob()
    const session = await enter()
    const echo = await session.exec('cat')
    const finish = starter.finish(OVER, { lingerMs: 2_000 })
    echo.stdin.write('still here\n')
    await expect(once(echo.stdout, 'data')).resolves.toEqual([Buffer.from('still here\n')])
    await finish
    await session.closed
  })

  it('ends a linger when it is told to', async () => {
    const starter = await startJob()
    const session = await enter()
    const hurry = new AbortController()
    const finish = starter.finish(OVER, { lingerMs: 'forever', signal: hurry.signal })
    hurry.abort()
    await finish
    await session.closed
  })
})

describe('the end of a job', () => {
  it('is an exit status, as of a shell', () => {
    expect(exitStatusOf({ exitCode: 3 })).toBe(3)
    expect(exitStatusOf({ signal: 'TERM', coreDumped: false })).toBe(143)
    expect(exitStatusOf({ signal: 'SEGV', coreDumped: true })).toBe(139)
  })

  it('is a sentence', () => {
    expect(jobEnded('a', { signal: 'KILL', coreDumped: false }).message).toBe(
      'The job a was ended by SIGKILL.',
    )
  })
})
