import { MAX_ENV_VARIABLES } from '../../../src/core/limits.js'
import type { ProcessEnd } from '../../../src/job/job.js'
import { boolean, byte, MSG, string, uint32 } from '../../../src/ssh/wire.js'
import { until } from '../../helpers/bytes.js'
import { testJob } from '../../helpers/job-session.js'
import { echo, idle, memoryJob, type Program } from '../../helpers/memory-job.js'
import { isAlive } from '../../helpers/processes.js'
import { isAbout, transcript } from '../../helpers/raw-peer.js'
import { type RawSession, rawSession } from '../../helpers/session-pair.js'

const MIB = 2 ** 20
const PTY = [string('xterm'), uint32(80), uint32(24), uint32(640), uint32(480), string(Buffer.from([0]))]
let session: RawSession
let channel: number

async function begin(program: Program, terminalUnavailable?: string, motd: string | false = false) {
  const job = memoryJob(program, terminalUnavailable)
  session = await rawSession(job, { motd })
  channel = await session.peer.open()
  return job
}

afterEach(() => session.close())

const ask = (name: string, ...data: Buffer[]): Promise<boolean> =>
  session.peer.request(channel, name, ...data)
const tell = (type: number, ...data: Buffer[]): void =>
  session.peer.send(byte(type), uint32(channel), ...data)
const closed = (): Promise<Buffer> => session.peer.waitFor((m) => isAbout(m, MSG.CHANNEL_CLOSE, 0))
const said = (): string[] => transcript(session.peer.messages, 0)

describe('on the wire', () => {
  const writes =
    (end: ProcessEnd): Program =>
    async ({ stdout, stderr }) => {
      stdout.write('out')
      await new Promise((resolve) => setImmediate(resolve))
      stderr.write('err')
      return end
    }

  it.each<[string, ProcessEnd, string]>([
    ['exit-status', { exitCode: 7 }, 'exit-status 7'],
    ['exit-signal', { signal: 'SEGV', coreDumped: true }, 'exit-signal SEGV'],
  ])('all output comes first, then %s, then EOF, then CLOSE', async (_title, end, report) => {
    await begin(writes(end))
    expect(await ask('exec', string('x'))).toBe(true)
    await closed()
    expect(said()).toEqual(['success', 'data out', 'stderr err', report, 'eof', 'close'])
  })

  it('the same order holds with a terminal', async () => {
    await begin(async ({ stdout }) => {
      stdout.end('screen')
      return { exitCode: 0 }
    })
    expect(await ask('pty-req', ...PTY)).toBe(true)
    expect(await ask('shell')).toBe(true)
    await closed()
    expect(said()).toEqual(['success', 'success', 'data screen', 'exit-status 0', 'eof', 'close'])
  })

  it('output that comes after the exit still comes before the exit status', async () => {
    await begin(({ stdout }) => {
      setImmediate(() => setImmediate(() => stdout.end('late')))
      Object.defineProperty(stdout, 'writable', { value: false }) // keeps the helper from ending it
      return { exitCode: 3 }
    })
    await ask('exec', string('x'))
    await closed()
    expect(said()).toEqual(['success', 'data late', 'exit-status 3', 'eof', 'close'])
  })

  it('a window that opens late delays EOF and CLOSE, not the exit status, as with sshd, and loses nothing', async () => {
    const job = memoryJob(({ stdout }) => {
      stdout.end('0123456789')
      return { exitCode: 0 }
    })
    session = await rawSession(job)
    channel = await session.peer.open(0, 4)
    await ask('exec', string('x'))
    await until(() => said().length === 3)
    expect(said()).toEqual(['success', 'data 0123', 'exit-status 0'])
    tell(MSG.CHANNEL_WINDOW_ADJUST, uint32(100))
    await closed()
    expect(said().slice(-3)).toEqual(['data 456789', 'eof', 'close'])
  })

  it('the exit status does not wait for the output that is left to the background, as with sshd', async () => {
    session = await rawSession(testJob())
    channel = await session.peer.open()
    expect(await ask('exec', string('sleep 60 & echo $!; exit 3'))).toBe(true)
    await session.peer.waitFor((m) => m.includes('exit-status'))
    const [, pid = ''] = /data (\d+)/.exec(said()[1] ?? '') ?? []
    expect(said()).toEqual(['success', `data ${pid}\n`, 'exit-status 3'])
    process.kill(Number(pid), 'SIGTERM')
    await closed()
    expect(said().slice(3)).toEqual(['eof', 'close'])
  })

  it('a client that closes after the exit status leaves the background alone', async () => {
    session = await rawSession(testJob())
    channel = await session.peer.open()
    expect(await ask('exec', string('sleep 60 & echo $!; exit 3'))).toBe(true)
    await session.peer.waitFor((m) => m.includes('exit-status'))
    const [, pid = ''] = /data (\d+)/.exec(said()[1] ?? '') ?? []
    tell(MSG.CHANNEL_CLOSE)
    await closed()
    expect(said().slice(2)).toEqual(['exit-status 3', 'close'])
    await session.close()
    expect(isAlive(Number(pid))).toBe(true)
    process.kill(Number(pid), 'SIGTERM')
  })

  it('packets are no larger than the peer takes', async () => {
    const job = memoryJob(({ stdout }) => {
      stdout.end(Buffer.alloc(1000))
      return { exitCode: 0 }
    })
    session = await rawSession(job)
    channel = await session.peer.open(0, 10_000, 100)
    await ask('exec', string('x'))
    await closed()
    const sizes = session.peer.messages
      .filter((m) => isAbout(m, MSG.CHANNEL_DATA, 0))
      .map((m) => m.length - 9)
    expect(sizes).toEqual(Array.from({ length: 10 }, () => 100))
  })

  it('exit-signal says whether there is a core and what happened', async () => {
    await begin(() => ({ signal: 'ABRT', coreDumped: true }))
    await ask('exec', string('x'))
    const message = await session.peer.waitFor((m) => m.includes('exit-signal'))
    const expected = [
      boolean(false),
      string('ABRT'),
      boolean(true),
      string('terminated by signal ABRT'),
      string(''),
    ]
    expect(message.subarray(5 + 4 + 'exit-signal'.length)).toEqual(Buffer.concat(expected))
  })
})

describe('the requests of a session', () => {
  it('get replies after something was started, whether anybody knows them or not', async () => {
    const job = await begin(idle)
    expect(await ask('exec', string('x'))).toBe(true)
    await until(() => job.processes.length === 1)
    expect(await ask('winadj@putty.projects.tartarus.org')).toBe(false)
    expect(await ask('keepalive@openssh.com')).toBe(false)
    expect(await ask('env', string('LATE'), string('x'))).toBe(false)
    expect(await ask('break', uint32(500))).toBe(false) // there is no terminal
    expect(await ask('signal', string('USR1'))).toBe(true)
    expect(await ask('signal', string('NONSENSE'))).toBe(false)
    expect(await ask('window-change', uint32(1), uint32(2), uint32(3), uint32(4))).toBe(false)
    expect(await ask('eow@openssh.com')).toBe(true)
    expect(job.processes[0]?.signals).toEqual(['USR1', 'NONSENSE'])
  })

  it.each(['exec', 'subsystem'])('start one thing: no files behind %s', async (first) => {
    session = await rawSession(memoryJob(idle), {})
    channel = await session.peer.open()
    expect(await ask(first, string('sftp'))).toBe(true)
    expect(await ask('subsystem', string('sftp'))).toBe(false)
    expect(await ask('exec', string('x'))).toBe(false)
  })

  it('start one thing, though the next request does not wait for the answer to the first', async () => {
    const job = memoryJob(idle)
    session = await rawSession(job, {})
    channel = await session.peer.open()
    tell(MSG.CHANNEL_REQUEST, string('subsystem'), boolean(true), string('sftp'))
    tell(MSG.CHANNEL_REQUEST, string('exec'), boolean(true), string('x'))
    const answers = (): number[] =>
      session.peer.messages.flatMap(([type = 0]) =>
        type === MSG.CHANNEL_SUCCESS || type === MSG.CHANNEL_FAILURE ? [type] : [],
      )
    await until(() => answers().length === 2)
    expect(answers()).toEqual([MSG.CHANNEL_SUCCESS, MSG.CHANNEL_FAILURE])
    expect(job.processes).toEqual([])
  })

  it('reach the terminal: its size, its modes, a break', async () => {
    const job = await begin(idle)
    const modes = Buffer.from('0100000003350000000000', 'hex')
    expect(await ask('pty-req', ...PTY.slice(0, 5), string(modes))).toBe(true)
    expect(await ask('window-change', uint32(100), uint32(50), uint32(1000), uint32(500))).toBe(true)
    expect(await ask('shell')).toBe(true)
    await until(() => job.processes.length === 1)
    expect(job.processes[0]?.request.terminal).toEqual({
      term: 'xterm',
      columns: 100,
      rows: 50,
      width: 1000,
      height: 500,
      modes: [
        [1, 3],
        [53, 0],
      ],
    })
    expect(await ask('window-change', uint32(0), uint32(0), uint32(0), uint32(0))).toBe(true)
    expect(job.processes[0]?.sizes).toEqual([{ columns: 0, rows: 0, width: 0, height: 0 }])
    expect(await ask('break', uint32(500))).toBe(true)
  })

  it('are refused the second time: one terminal and one program a session', async () => {
    const job = await begin(idle)
    expect(await ask('pty-req', ...PTY)).toBe(true)
    expect(await ask('pty-req', ...PTY)).toBe(false)
    expect(await ask('exec', string('a'))).toBe(true)
    expect(await ask('exec', string('b'))).toBe(false)
    expect(await ask('shell')).toBe(false)
    expect(await ask('pty-req', ...PTY)).toBe(false)
    expect(job.processes.map(({ request }) => request.command?.toString())).toEqual(['a'])
  })

  it('are refused where nothing like it is served', async () => {
    await begin(idle)
    expect(await ask('subsystem', string('nothing'))).toBe(false)
    expect(await ask('xon-xoff', boolean(true))).toBe(false)
    expect(await ask('__proto__')).toBe(false)
    expect(await ask('constructor')).toBe(false)
  })

  it('before the start may send input: nothing of it is lost', async () => {
    await begin(echo)
    tell(MSG.CHANNEL_DATA, string('early '))
    session.peer.send(
      byte(MSG.CHANNEL_REQUEST),
      uint32(channel),
      string('exec'),
      boolean(false),
      string('cat'),
    )
    tell(MSG.CHANNEL_DATA, string('in time'))
    tell(MSG.CHANNEL_EOF)
    await closed()
    expect(said()).toEqual(['data early in time', 'exit-status 0', 'eof', 'close'])
  })

  it('carry commands and variables as bytes, UTF-8 or not', async () => {
    const job = await begin(idle)
    const bytes = Buffer.from([0xff, 0xfe, 0x80, 0x0a, 0xc3])
    expect(await ask('env', string('NAME'), string(bytes))).toBe(true)
    expect(await ask('exec', string(bytes))).toBe(true)
    await until(() => job.processes.length === 1)
    expect(job.processes[0]?.request.command).toEqual(bytes)
    expect(job.processes[0]?.request.environment.get('NAME')).toEqual(bytes)
  })

  it.each([
    ['LD_PRELOAD', '/evil.so'],
    ['LD_LIBRARY_PATH', '/evil'],
    ['', 'x'],
    ['1ST', 'x'],
    ['A=B', 'x'],
    ['A B', 'x'],
    ['Ä', 'x'],
    ['NUL', 'a\0b'],
    ['LONG', 'x'.repeat(2 ** 15)], // one packet's worth: this one is fine
  ])('set the variable %p only where that is safe', async (name, value) => {
    await begin(idle)
    expect(await ask('env', string(name), string(value))).toBe(name === 'LONG')
  })

  it.each(['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY', 'SSH_USER_AUTH', 'SSH_ORIGINAL_COMMAND'])(
    'do not set %s, which programs take for the word of the server',
    async (name) => {
      const job = await begin(idle)
      expect(await ask('env', string(name), string('a lie'))).toBe(false)
      expect(await ask('exec', string('x'))).toBe(true)
      expect(job.processes[0]?.request.environment.get(name)?.toString()).not.toBe('a lie')
    },
  )

  it('set so many variables, and so many bytes of them, and no more', async () => {
    await begin(idle)
    for (let i = 0; i < MAX_ENV_VARIABLES; i++) {
      session.peer.send(
        byte(MSG.CHANNEL_REQUEST),
        uint32(channel),
        string('env'),
        boolean(false),
        string(`A${i}`),
        string('b'),
      )
    }
    expect(await ask('env', string('ONE_MORE'), string('b'))).toBe(false)
    channel = await session.peer.open(1)
    let bytes = 0
    for (let i = 0; await ask('env', string(`A${i}`), string(Buffer.alloc(30_000, 'x'))); i++) bytes += 30_000
    expect(bytes).toBeLessThanOrEqual(MIB)
    expect(bytes).toBeGreaterThan(MIB - 60_000)
  })

  it('that start something impossible say why on stderr', async () => {
    await begin(idle)
    expect(await ask('exec', string('a\0b'))).toBe(false)
    await session.peer.waitFor((m) => isAbout(m, MSG.CHANNEL_EXTENDED_DATA, 0))
    expect(said()).toContain(
      'stderr sshjob-server: This command is longer than the system takes, or holds a NUL byte.\n',
    )
  })

  it('for a terminal are refused where there is none to be had', async () => {
    await begin(idle, 'There is no /dev/ptmx here.')
    expect(await ask('pty-req', ...PTY)).toBe(false)
    expect(said()).toContain('stderr sshjob-server: There is no /dev/ptmx here.\n')
    expect(await ask('shell')).toBe(true)
  })

  it('with input for a process that has closed its own are dropped, and the client told: eow@openssh.com', async () => {
    const job = await begin(({ stdin }) => {
      stdin.destroy()
      return new Promise(() => undefined)
    })
    await ask('exec', string('exec <&-'))
    await until(() => job.processes[0]?.stdin.closed === true)
    for (let i = 0; i < 200; i++) {
      tell(MSG.CHANNEL_DATA, string(Buffer.alloc(2 ** 15)))
      // The window is given back as if somebody read.
      if (i % 50 === 49) await ask('no such request')
    }
    expect(said()).toContain('eow@openssh.com')
  })

  it('to stop writing, eow@openssh.com, end what the process writes to', async () => {
    const job = await begin(async ({ stdout }) => {
      await until(() => stdout.closed)
      return { signal: 'PIPE', coreDumped: false }
    })
    await ask('exec', string('yes'))
    await until(() => job.processes.length === 1)
    expect(await ask('eow@openssh.com')).toBe(true)
    await closed()
    expect(said().slice(-3)).toEqual(['exit-signal PIPE', 'eof', 'close'])
  })
})

describe('a shell with a terminal', () => {
  it('is greeted, with line ends of a terminal', async () => {
    await begin(() => ({ exitCode: 0 }), undefined, 'hello\nthere\n')
    await ask('pty-req', ...PTY)
    await ask('shell')
    await closed()
    expect(said()[2]).toBe('data hello\r\nthere\r\n')
  })

  it.each<[string, string[]]>([
    ['a command', ['pty-req', 'exec']],
    ['a shell without a terminal', ['shell']],
  ])('is greeted alone, not %s', async (_title, requests) => {
    await begin(() => ({ exitCode: 0 }), undefined, 'hello\n')
    for (const name of requests) {
      await ask(name, ...(name === 'pty-req' ? PTY : name === 'exec' ? [string('x')] : []))
    }
    await closed()
    expect(said().some((line) => line.includes('hello'))).toBe(false)
  })
})

describe('the end of a session', () => {
  it('by a close of the client ends its process', async () => {
    const job = await begin(idle)
    await ask('exec', string('x'))
    await until(() => job.processes.length === 1)
    tell(MSG.CHANNEL_CLOSE)
    await until(() => job.processes[0]?.terminated === true)
    await closed()
    expect(session.served.channels).toBe(0)
  })

  it('by the loss of the connection ends all its processes', async () => {
    const job = await begin(idle)
    await ask('exec', string('x'))
    channel = await session.peer.open(1)
    await ask('exec', string('y'))
    await until(() => job.processes.length === 2)
    session.clientStream.destroy()
    expect(await session.served.closed).toMatchObject({ code: 'connection-lost' })
    expect(job.processes.map(({ terminated }) => terminated)).toEqual([true, true])
  })
})
