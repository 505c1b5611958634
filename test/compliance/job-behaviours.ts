import { once } from 'node:events'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobConnection, RemoteProcess } from '../../src/client/types.js'
import { SshjobError } from '../../src/core/errors.js'
import { readAll, until, writeUntilStuck } from '../helpers/bytes.js'
import { answerAfterEnd, collect, dial, exchange, serveSockets } from '../helpers/loopback.js'
import { expectGone } from '../helpers/processes.js'

const MB = 1_000_000
/** More than all the buffers and windows on any way hold. */
const BUFFERED_AT_MOST = 60 * MB
const LARGE = 100 * MB
/** No progress for so long, and the writer is taken to be held back. */
const QUIET_MS = 500

/** A client in a job. */
export interface Entered {
  client: JobConnection
  /** The client's end of the stream under it. */
  stream: Duplex
  /** The job is over, and so are its sessions. Resolves when that is done. */
  finish(): Promise<void>
}

/** A job that can be entered, over and over. */
export interface JobKind {
  /** FROM_THE_JOB has this value in the job's environment. */
  variable: string
  /** Where its sessions start: a directory that is the test's own. */
  directory: string
  /** Whether it offers files, its network and the like (Job.inside). Default: it does. */
  offers?: boolean
  enter(): Promise<Entered>
  /** Of all that have entered it. */
  close?(): Promise<void>
}

/** What every job does for the sessions that enter it, whatever it is and whoever serves it. */
export function describeJob(name: string, makeKind: () => Promise<JobKind> | JobKind): void {
  describe(name, () => {
    let kind: JobKind
    let entered: Entered
    let client: JobConnection

    beforeAll(async () => {
      kind = await makeKind()
    })
    beforeEach(async () => {
      entered = await kind.enter()
      client = entered.client
    })
    afterEach(() => client.close())
    afterAll(() => kind.close?.())

    const text = async (command: string, options?: Parameters<JobConnection['exec']>[1]): Promise<string> =>
      (await (await client.exec(command, { stdin: null, ...options })).output()).stdout.toString('latin1')
    /** The first line that it writes, after which it runs on. */
    const firstLine = async (running: RemoteProcess): Promise<string> => {
      const [chunk] = await once(running.stdout, 'data')
      return String(chunk).trim()
    }
    const offers = (): boolean => kind.offers ?? true

    it('runs commands in its environment, with what the client sets, byte for byte', async () => {
      const env = { LC_BYTES: Buffer.from([0x61, 0xff, 0xfe]), FROM_THE_CLIENT: 'yes' }
      const said = await text('printf "%s|%s|%s" "$FROM_THE_JOB" "$FROM_THE_CLIENT" "$LC_BYTES"', { env })
      expect(said).toBe(`${kind.variable}|yes|a\xff\xfe`)
      expect(await text('printf "%s" "$SSH_CONNECTION"')).toMatch(/^\S+ \d+ \S+ \d+$/)
    })

    it('starts them in its directory, as its user', async () => {
      expect(await text('pwd -P; id -u')).toBe(`${realpathSync(kind.directory)}\n${process.getuid?.()}\n`)
    })

    it('tells how they end, and keeps stdout and stderr apart', async () => {
      const run = await client.exec('cat; echo err >&2; exit 7', { stdin: 'out' })
      const { stdout, stderr, exitCode } = await run.output()
      expect([stdout.toString(), stderr.toString(), exitCode]).toEqual(['out', 'err\n', 7])
    })

    it('tells by which signal they were ended, one of the client’s too', async () => {
      const own = await client.exec('kill -KILL $$', { stdin: null })
      expect(await own.ended).toMatchObject({ signal: 'KILL' })
      const told = await client.exec('echo ready; exec sleep 1000', { stdin: null })
      await firstLine(told)
      told.sendSignal('TERM')
      expect(await told.ended).toMatchObject({ signal: 'TERM' })
    })

    it('has a terminal where one is asked for, with its size, and none where not', async () => {
      expect(await text('tty')).toMatch(/^not a tty/)
      const run = await client.exec(
        "tty; stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done",
        { pty: { columns: 100, rows: 30 } },
      )
      let screen = ''
      run.stdout.on('data', (chunk: Buffer) => {
        screen += chunk.toString()
      })
      await until(() => screen.includes('ready'))
      run.resize({ columns: 120, rows: 40 })
      expect(await run.ended).toMatchObject({ exitCode: 3 })
      await until(() => run.stdout.readableEnded)
      expect(screen).toMatch(/^\/dev\/(pts\/\d+|console)\r\n30 100\r\nready\r\n40 120\r\n$/)
    })

    it('has a shell, which ends with its input', async () => {
      const shell = await client.shell({ pty: false })
      shell.stdin.end('echo from a shell\nexit 4\n')
      expect((await readAll(shell.stdout)).toString()).toContain('from a shell\n')
      expect(await shell.ended).toMatchObject({ exitCode: 4 })
    })

    it('gives its files, from its directory on, or refuses them', async () => {
      if (!offers()) return expectRefused(client.files.readdir('.'), 'request-refused')
      await client.files.writeFile('a file', 'of the client')
      expect(readFileSync(join(kind.directory, 'a file'), 'utf8')).toBe('of the client')
      expect((await client.files.realpath('.')).toString()).toBe(realpathSync(kind.directory))
      expect(await text('cat "a file"')).toBe('of the client')
      expect((await client.files.readFile('a file')).toString()).toBe('of the client')
      await client.files.remove('a file')
    })

    it('is connected to, by ports and by sockets, or refuses that', async () => {
      const path = join(kind.directory, 'listens')
      const { port } = await serveSockets(answerAfterEnd)
      await serveSockets(answerAfterEnd, path)
      for (const open of [() => client.openTcp('localhost', port), () => client.openUnix(path)]) {
        if (!offers()) await expectRefused(open(), 'channel-refused')
        else expect((await exchange(await open(), 'abc')).toString()).toBe('got 3')
      }
    })

    it('listens, and leads out of it, or refuses that', async () => {
      const { port: target } = await serveSockets(answerAfterEnd)
      const to = { host: '127.0.0.1', port: target }
      const path = join(kind.directory, 'forwarded')
      if (!offers()) {
        await expectRefused(client.forwardRemote({ port: 0 }, to), 'request-refused')
        return expectRefused(client.forwardRemote({ path }, to), 'request-refused')
      }
      const tcp = await client.forwardRemote({ port: 0 }, to)
      await client.forwardRemote({ path }, to)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      for (const at of [tcp.address.port ?? 0, path])
        expect((await exchange(await dial(at), 'abc')).toString()).toBe('got 3')
      await client.close()
      while (existsSync(path)) await delay(20)
    })

    it('brings the client’s agent to a session, for as long as that lasts, or refuses it', async () => {
      const agent = join(kind.directory, 'agent')
      await serveSockets((socket) => socket.end('the agent'), agent)
      const starting = client.exec('echo "$SSH_AUTH_SOCK"; exec sleep 1000', { stdin: null, agent })
      if (!offers()) return expectRefused(starting, 'request-refused')
      const session = await starting
      const path = await firstLine(session)
      const connection = await dial(path)
      expect((await collect(connection)).toString()).toBe('the agent')
      session.close()
      while (existsSync(path)) await delay(20)
    })

    it('holds a command back whose output nobody takes, and loses nothing then', async () => {
      const counter = join(kind.directory, 'counter')
      const loop =
        'i=0; while [ $i -lt 100 ]; do head -c 1000000 /dev/zero; i=$((i+1)); echo $i > counter; done'
      const run = await client.exec(loop, { stdin: null })
      const written = (): number => (existsSync(counter) ? Number(readFileSync(counter, 'utf8')) * MB : 0)
      for (let before = -1; before !== written() || before === 0; ) {
        before = written()
        await delay(QUIET_MS)
      }
      expect(written()).toBeLessThan(BUFFERED_AT_MOST)
      let length = 0
      run.stdout.on('data', (chunk: Buffer) => {
        length += chunk.length
      })
      await once(run.stdout, 'end')
      expect(length).toBe(LARGE)
    })

    it('holds a client back whose command does not read', async () => {
      const run = await client.exec('exec sleep 1000')
      const taken = await writeUntilStuck(run.stdin, Buffer.alloc(65_536), 2 * BUFFERED_AT_MOST)
      expect(taken).toBeLessThan(BUFFERED_AT_MOST)
    })

    it.each([false, true])(
      'ends what a client has left behind that vanishes; in a terminal: %s',
      async (pty) => {
        const run = await client.exec('echo $$; exec sleep 1000', { pty })
        const pid = Number(await firstLine(run))
        entered.stream.destroy()
        await expectGone(pid)
        await client.closed
      },
    )

    it('tells its sessions when it is over, and ends them', async () => {
      const run = await client.exec('echo $$; exec sleep 1000', { stdin: null })
      const pid = Number(await firstLine(run))
      let said = ''
      run.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
      run.stderr.on('error', () => undefined)
      run.ended.catch(() => undefined)
      await entered.finish()
      await client.closed
      await expectGone(pid)
      expect(said).toMatch(/^sshjob-server: .+\.\n$/)
    })
  })
}

async function expectRefused(work: Promise<unknown>, code: string): Promise<void> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failure).toBeInstanceOf(SshjobError)
  expect(failure).toMatchObject({ code, message: expect.stringMatching(/\.$/) })
}
