import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { digest, readAll, sha256, turnOfEventLoop, until, writeInPieces } from '../../helpers/bytes.js'
import { echo, idle, memoryJob } from '../../helpers/memory-job.js'
import { type SessionPair, sessionPair } from '../../helpers/session-pair.js'

const MIB = 2 ** 20
const LOST = { code: 'connection-lost' }

describe('a command in a job', () => {
  let pair: SessionPair
  beforeAll(async () => {
    pair = await sessionPair()
  })
  afterAll(() => pair.close())

  it('gives its output, stdout and stderr apart, and its exit code', async () => {
    const remote = await pair.client.exec('cat; echo error >&2; exit 7', { stdin: 'input' })
    expect(await remote.output()).toEqual({
      stdout: Buffer.from('input'),
      stderr: Buffer.from('error\n'),
      exitCode: 7,
      signal: undefined,
    })
  })

  it('gives the signal that ended it', async () => {
    const remote = await pair.client.exec('kill -TERM $$')
    expect(await remote.ended).toMatchObject({ signal: 'TERM', message: 'terminated by signal TERM' })
  })

  it('writes 3 MiB to stdout and to stderr at once, both exactly', async () => {
    const script = `s="${process.execPath} -e"; $s 'process.stdout.write(Buffer.alloc(${3 * MIB}, "ab"))' &
      $s 'process.stderr.write(Buffer.alloc(${3 * MIB}, "cd"))'; wait`
    const { stdout, stderr } = await (await pair.client.exec(script)).output()
    expect(sha256(stdout)).toBe(sha256(Buffer.alloc(3 * MIB, 'ab')))
    expect(sha256(stderr)).toBe(sha256(Buffer.alloc(3 * MIB, 'cd')))
  })

  it('gets what it reads, and gives what it writes, byte by byte', async () => {
    const data = randomBytes(16 * MIB)
    const remote = await pair.client.exec('cat')
    const received = digest(remote.stdout)
    await writeInPieces(remote.stdin, data)
    remote.stdin.end()
    expect(await received).toBe(sha256(data))
    expect(await remote.ended).toEqual({ exitCode: 0, signal: undefined })
  })

  it('may answer long after its input has ended', async () => {
    const remote = await pair.client.exec('n=$(wc -c); sleep 0.2; echo $n', { stdin: Buffer.alloc(MIB) })
    expect((await remote.output()).stdout.toString().trim()).toBe(String(MIB))
  })

  it.each<[string, () => string | Buffer | null | Readable, string]>([
    ['a string', () => 'text', 'text'],
    ['bytes', () => Buffer.from([0x41, 0x42]), 'AB'],
    ['nothing', () => null, ''],
    ['a stream', () => Readable.from([Buffer.from('a'), Buffer.from('b')]), 'ab'],
  ])('reads %s', async (_title, stdin, expected) => {
    const remote = await pair.client.exec('cat', { stdin: stdin() })
    expect((await remote.output()).stdout.toString()).toBe(expected)
  })

  it('has variables and a command line of any bytes', async () => {
    const value = Buffer.from([0xff, 0xfe, 0x27, 0x0a, 0xc3, 0x0a])
    const command = Buffer.concat([
      Buffer.from("printf '%s' \"$RAW\"; printf '%s' '"),
      Buffer.from([0xe9, 0xff, 0x27]),
    ])
    const remote = await pair.client.exec(command, { env: { RAW: value } })
    expect((await remote.output()).stdout).toEqual(Buffer.concat([value, Buffer.from([0xe9, 0xff])]))
  })

  it('gets a signal, by its name without SIG alone', async () => {
    const remote = await pair.client.exec('trap "exit 9" USR1; echo ready; while :; do sleep 0.05; done')
    await once(remote.stdout, 'data')
    remote.sendSignal('USR1')
    expect(await remote.ended).toMatchObject({ exitCode: 9 })
    for (const name of ['SIGTERM', 'term', '', '9 ']) {
      expect(() => remote.sendSignal(name)).toThrow('is not the name of a signal')
    }
  })

  it('runs in a terminal of the size and kind that was asked for', async () => {
    const remote = await pair.client.exec('stty size; echo $TERM; tty', {
      pty: { term: 'vt220', columns: 101, rows: 37 },
    })
    const lines = (await remote.output()).stdout.toString().split('\r\n')
    expect(lines).toEqual(['37 101', 'vt220', expect.stringMatching('^/dev/pts/'), ''])
  })

  it('loses nothing of a megabyte that it writes to its terminal before it exits', async () => {
    const remote = await pair.client.exec('seq 1 150000', { pty: true })
    const { stdout } = await remote.output()
    const expected = Array.from({ length: 150_000 }, (_, i) => `${i + 1}\r\n`).join('')
    expect(stdout.toString() === expected).toBe(true)
  })

  it('learns of a new size of its terminal', async () => {
    const remote = await pair.client.exec(
      'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done',
      { pty: true },
    )
    const output = remote.output()
    await once(remote.stdout, 'readable')
    remote.resize({ columns: 99, rows: 11 })
    expect((await output).stdout.toString()).toContain('11 99')
  })

  it('may leave something behind on purpose, which outlives it', async () => {
    const remote = await pair.client.exec('sleep 60 >/dev/null 2>&1 </dev/null & echo $!')
    const pid = Number((await remote.output()).stdout.toString())
    await pair.client.ping()
    expect(process.kill(pid, 'SIGKILL')).toBe(true)
  })

  it('whose reader goes away stops, as `yes | head -1` does', async () => {
    const remote = await pair.client.exec('yes')
    await once(remote.stdout, 'data')
    remote.stdout.destroy()
    expect(await remote.ended).toMatchObject({ signal: 'PIPE' })
  })

  it('runs fifty times at once on one connection', async () => {
    const outputs = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const remote = await pair.client.exec(`cat; echo ${i}`, { stdin: 'in ' })
        return (await remote.output()).stdout.toString()
      }),
    )
    expect(outputs).toEqual(Array.from({ length: 50 }, (_, i) => `in ${i}\n`))
  })

  it('that writes past the limit of output() is ended, and its client told', async () => {
    const remote = await pair.client.exec('echo $$; exec yes')
    const [line] = await once(remote.stdout, 'data')
    const pid = Number.parseInt(String(line), 10)
    await expect(remote.output({ limit: 100_000 })).rejects.toMatchObject({
      code: 'output-limit',
      message: 'The command wrote more than 100000 bytes; it was ended.',
    })
    await until(() => !exists(pid))
  })

  it('that is aborted is ended, and says so everywhere', async () => {
    const abort = new AbortController()
    const remote = await pair.client.exec('echo $$; exec sleep 600', { signal: abort.signal })
    const [line] = await once(remote.stdout, 'data')
    const output = remote.output()
    abort.abort()
    await expect(output).rejects.toMatchObject({ code: 'aborted' })
    await expect(remote.ended).rejects.toMatchObject({ code: 'aborted' })
    await until(() => !exists(Number(String(line))))
  })

  it('that was aborted before it began does not begin', async () => {
    const exec = pair.client.exec('touch /nowhere', { signal: AbortSignal.abort() })
    await expect(exec).rejects.toMatchObject({ code: 'aborted' })
  })

  it('is ended by close(), which its end then says', async () => {
    const remote = await pair.client.exec('echo $$; exec sleep 600')
    const [line] = await once(remote.stdout, 'data')
    remote.close()
    await expect(remote.ended).rejects.toMatchObject({ code: 'connection-closed' })
    await until(() => !exists(Number(String(line))))
  })
})

describe('a command whose connection is lost', () => {
  it('gives what had arrived, then the error, and its end rejects with it', async () => {
    const data = randomBytes(MIB)
    const job = memoryJob(({ stdout }) => {
      stdout.write(data)
      return new Promise(() => undefined)
    })
    const pair = await sessionPair({ job })
    const remote = await pair.client.exec('x')
    for (let round = 0; round < 20; round++) {
      await turnOfEventLoop()
      await pair.client.ping()
    }
    pair.serverStream.destroy()
    const chunks: Buffer[] = []
    const reading = (async () => {
      for await (const chunk of remote.stdout) chunks.push(chunk)
    })()
    await expect(reading).rejects.toMatchObject(LOST)
    await expect(remote.ended).rejects.toMatchObject(LOST)
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(data))
    await pair.served.closed
  })

  it('leaves no rejection unhandled where only the streams are read', async () => {
    const unhandled = jest.fn()
    process.on('unhandledRejection', unhandled)
    const pair = await sessionPair({ job: memoryJob(idle) })
    const remote = await pair.client.exec('x', { stdin: new PassThrough() })
    const read = readAll(remote.stdout)
    pair.serverStream.destroy()
    await expect(read).rejects.toMatchObject(LOST)
    await pair.served.closed
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(unhandled).not.toHaveBeenCalled()
    process.off('unhandledRejection', unhandled)
  })
})

describe('a server that does not answer', () => {
  it('does not keep an abort waiting, neither for the channel nor for the command', async () => {
    const pair = await sessionPair({ job: memoryJob(echo) })
    const running = await pair.client.exec('cat')
    pair.serverStream.pause()
    const abort = new AbortController()
    const starting = pair.client.exec('x', { signal: abort.signal })
    abort.abort()
    await expect(starting).rejects.toMatchObject({ code: 'aborted' })
    const second = new AbortController()
    pair.serverStream.resume()
    const remote = await pair.client.exec('cat', { signal: second.signal })
    pair.serverStream.pause()
    const reading = readAll(remote.stdout)
    second.abort()
    await expect(reading).rejects.toMatchObject({ code: 'aborted' })
    await expect(remote.ended).rejects.toMatchObject({ code: 'aborted' })
    pair.serverStream.resume()
    running.stdin.end('still works')
    expect((await running.output()).stdout.toString()).toBe('still works')
    await until(() => pair.served.channels === 0) // the late answers were closed as well
    await pair.close()
  })
})

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
