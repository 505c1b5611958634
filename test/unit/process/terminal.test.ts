import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TERMINAL_QUIET_MS, TERMINAL_QUIET_ROUNDS } from '../../../src/core/limits.js'
import { openTerminal, type Terminal, terminalUnavailable } from '../../../src/process/terminal.js'
import { commandStream } from '../../../src/streams/command.js'
import { readAll, readUntil, runIn, startIn, TERMINAL, testJob } from '../../helpers/job-session.js'

const MIB = 1024 * 1024
/** A program that writes 1 MiB, the same each time, and ends at once. */
const WRITE_1_MIB = `stty -opost; exec ${process.execPath} -e '
  const bytes = Buffer.alloc(${MIB}, "0123456789abcdef\\n")
  let sent = 0
  while (sent < bytes.length) sent += require("fs").writeSync(1, bytes, sent)
  process.kill(process.pid, "SIGKILL")'`
const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const expected = sum(Buffer.alloc(MIB, '0123456789abcdef\n'))

const masters = (pid: number | 'self'): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === '/dev/ptmx'
    } catch {
      return false
    }
  }).length

describe('a terminal', () => {
  const job = testJob()

  it('can be opened here', () => {
    expect(terminalUnavailable()).toBeUndefined()
  })

  it('delivers all of 1 MiB from a program that ends at once', async () => {
    for (let round = 0; round < 15; round++) {
      const session = await startIn(job, WRITE_1_MIB, { terminal: TERMINAL })
      expect(sum(await readAll(session.stdout))).toBe(expected)
      expect(await session.ended).toMatchObject({ signal: 'KILL' })
    }
  })

  it('delivers the last words of many short programs', async () => {
    for (let round = 0; round < 60; round++) {
      const { stdout } = await runIn(job, 'seq 1 3000', { terminal: TERMINAL })
      expect(stdout.endsWith('2999\r\n3000\r\n')).toBe(true)
    }
  })

  it('keeps output that nobody reads until long after the end', async () => {
    const session = await startIn(job, 'seq 1 400; exit 3', { terminal: TERMINAL })
    expect(await session.ended).toEqual({ exitCode: 3 })
    await sleep(400)
    const output = (await readAll(session.stdout)).toString()
    expect(output.split('\r\n')).toHaveLength(401)
  })

  it('stops the program when nobody reads, and goes on byte-exact', async () => {
    const session = await startIn(job, WRITE_1_MIB, { terminal: TERMINAL })
    await sleep(300)
    expect(session.stdout.readableLength).toBeLessThan(MIB / 4)
    expect(sum(await readAll(session.stdout))).toBe(expected)
  })

  it('ends although a background process holds it, with all that the program wrote', async () => {
    const session = await startIn(job, `trap '' HUP; sleep 30 & seq 1 20000`, { terminal: TERMINAL })
    const output = (await readAll(session.stdout)).toString()
    expect(output.split('\r\n')).toHaveLength(20001)
  })

  it('ends although a background process writes to it without a pause', async () => {
    const session = await startIn(job, `trap '' HUP; yes & sleep 0.1`, { terminal: TERMINAL })
    session.stdout.resume()
    expect(await session.ended).toEqual({ exitCode: 0 })
    await readAll(session.stdout)
  })

  it('is the controlling terminal, with job control', async () => {
    const { stdout } = await runIn(job, 'ps -o tpgid= -o pgid= -p $$ </dev/tty', { terminal: TERMINAL })
    const [foreground, group] = stdout.trim().split(/\s+/)
    expect(foreground).toBe(group)
  })

  it('sends what the interrupt character stands for to the program in the foreground', async () => {
    const session = await startIn(job, 'echo ready; sleep 30', { terminal: TERMINAL })
    await readUntil(session, 'ready')
    session.stdin.write('\x03')
    expect(await session.ended).toMatchObject({ signal: 'INT' })
  })
})

describe('what is left when the program has ended', () => {
  let terminal: Terminal

  /** A terminal whose program has written 'a'. Time passes as the test says. */
  function open(): { read: () => string; turn: () => Promise<void> } {
    terminal = openTerminal(TERMINAL)
    let output = ''
    terminal.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    const slave = openSync(terminal.name, 'r+')
    writeSync(slave, 'a')
    closeSync(slave)
    return { read: () => output, turn: () => new Promise((resolve) => setImmediate(resolve)) }
  }

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'hrtime'] })
  })
  afterEach(() => {
    terminal.close()
    jest.useRealTimers()
  })

  it('is all there is at once, if nobody else has the terminal', async () => {
    const { read } = open()
    terminal.finish()
    await once(terminal.stdout, 'close')
    expect(read()).toBe('a')
    expect(jest.getTimerCount()).toBe(0)
  })

  it('is read as long as a background process writes, until it is quiet once', async () => {
    const { read, turn } = open()
    const background = openSync(terminal.name, 'r+')
    terminal.finish()
    for (const letter of ['b', 'c', 'd']) {
      await turn()
      writeSync(background, letter)
      jest.advanceTimersByTime(TERMINAL_QUIET_MS)
    }
    await turn()
    expect(read()).toBe('abcd')
    expect(terminal.stdout.destroyed).toBe(false)
    jest.advanceTimersByTime(TERMINAL_QUIET_MS)
    await once(terminal.stdout, 'close')
    closeSync(background)
    expect(read()).toBe('abcd')
    expect(jest.getTimerCount()).toBe(0)
  })

  it('is over after some rounds, however much a background process has to say', async () => {
    const { read, turn } = open()
    const background = openSync(terminal.name, 'r+')
    terminal.finish()
    for (let round = 0; round < TERMINAL_QUIET_ROUNDS; round++) {
      await turn()
      expect(terminal.stdout.destroyed).toBe(false)
      writeSync(background, 'x')
      jest.advanceTimersByTime(TERMINAL_QUIET_MS)
    }
    await once(terminal.stdout, 'close')
    closeSync(background)
    expect(read()).toBe(`a${'x'.repeat(TERMINAL_QUIET_ROUNDS)}`)
  })
})

describe('keystrokes', () => {
  const job = testJob()

  it('arrive byte-exact, however many there are and however slowly they are read', async () => {
    const script = `stty raw -echo; echo ready; dd bs=16384 count=1 iflag=fullblock 2>/dev/null >/dev/null
      sleep 0.2; head -c 2080768 | sha256sum`
    const session = await startIn(job, script, { terminal: TERMINAL })
    await readUntil(session, 'ready')
    const bytes = Buffer.alloc(2 * MIB)
    for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 7919) >> 3
    session.stdin.write(bytes)
    const digest = (await readAll(session.stdout)).toString().trim().split(/\s+/)[0]
    expect(digest).toBe(sum(bytes.subarray(16384)))
  })

  it('wait, and cost no time, while the program does not read', async () => {
    const session = await startIn(job, 'stty raw -echo; echo ready; sleep 30', { terminal: TERMINAL })
    await readUntil(session, 'ready')
    let accepted = 0
    while (session.stdin.write(Buffer.alloc(16384))) accepted += 16384
    expect(accepted).toBeLessThan(MIB)
    await sleep(200)
    expect(session.stdin.writableNeedDrain).toBe(true)
    const before = process.cpuUsage()
    await sleep(500)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(250)
  })

  it('never reach a file that gets the number of a closed terminal', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sshjob-keys-'))
    try {
      for (let round = 0; round < 10; round++) {
        const terminal = openTerminal(TERMINAL)
        terminal.stdout.resume()
        terminal.stdin.write(Buffer.alloc(300_000, 'k'))
        terminal.close()
        const files = Array.from({ length: 40 }, (_, index) => join(folder, `${round}-${index}`))
        const opened = files.map((file) => openSync(file, 'w'))
        await sleep(60)
        for (const descriptor of opened) closeSync(descriptor)
        for (const file of files) expect(readFileSync(file).length).toBe(0)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe("a terminal's master", () => {
  const job = testJob()

  it('is open in no other session, in a terminal or not, and in no helper of ours', async () => {
    const first = await startIn(job, 'echo ready; sleep 30', { terminal: TERMINAL })
    const second = await startIn(job, 'echo ready; sleep 30', { terminal: TERMINAL })
    const third = await startIn(job, 'echo ready; sleep 30')
    for (const session of [first, second, third]) {
      await readUntil(session, 'ready')
      expect(masters(session.pid)).toBe(0)
    }
    expect(masters('self')).toBe(2)
  })

  it('is open in no command that carries a connection', async () => {
    const session = await startIn(job, 'echo ready; sleep 30', { terminal: TERMINAL })
    await readUntil(session, 'ready')
    expect(masters('self')).toBe(1)
    const stream = commandStream(['sh', '-c', 'ls -l /proc/$$/fd; true'])
    stream.end()
    const opened = (await readAll(stream)).toString()
    expect(opened).toContain('socket:')
    expect(opened).not.toContain('/dev/ptmx')
  })

  it('hangs up when it is closed, although another program was started meanwhile', async () => {
    const first = await startIn(
      job,
      `trap 'echo hup > "$FILE"; exit' HUP; echo ready; while :; do sleep 0.05; done`,
      {
        terminal: TERMINAL,
        environment: new Map([['FILE', Buffer.from('/dev/null')]]),
      },
    )
    await readUntil(first, 'ready')
    await startIn(job, 'sleep 30')
    first.stdout.destroy()
    expect(await first.ended).toEqual({ exitCode: 0 })
    expect(masters('self')).toBe(0)
  })
})

describe('the size of a terminal', () => {
  const job = testJob()

  it('is what was asked for, pixels too', async () => {
    const script = `python3 -c 'import fcntl, struct, termios
print(*struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))))'`
    const terminal = { ...TERMINAL, columns: 101, rows: 33, width: 1010, height: 660 }
    const { stdout } = await runIn(job, script, { terminal })
    expect(stdout).toBe('33 101 1010 660\r\n')
  })

  it('changes, and the program is told', async () => {
    const session = await startIn(
      job,
      `trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done`,
      {
        terminal: TERMINAL,
      },
    )
    await readUntil(session, 'ready')
    session.resize({ columns: 132, rows: 50, width: 0, height: 0 })
    expect((await readAll(session.stdout)).toString()).toContain('50 132')
  })

  it('of zero is ignored, and any is after the end', async () => {
    const session = await startIn(job, `echo ready; read go; stty size`, { terminal: TERMINAL })
    await readUntil(session, 'ready')
    session.resize({ columns: 0, rows: 0, width: 0, height: 0 })
    session.stdin.write('\n')
    expect((await readAll(session.stdout)).toString()).toContain('24 80')
    await session.ended
    session.resize({ columns: 0, rows: 0, width: 0, height: 0 })
    session.resize({ columns: 100, rows: 100, width: Number.NaN, height: 1e9 })
  })
})
