import { closeSync, constants, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ConnectOpts, SocketConstructorOpts } from 'node:net'
import { dirname, join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { ReadStream } from 'node:tty'
import { endSentence, messageOf, SshjobError, systemCode } from '../core/errors.js'
import {
  TERMINAL_QUIET_MS,
  TERMINAL_QUIET_ROUNDS,
  TERMINAL_RETRY_MAX_MS,
  TERMINAL_TAIL_MAX,
} from '../core/limits.js'
import { hideFromChildren } from './child.js'
import type { TerminalSize } from './job.js'

/** The part of node-pty's addon that is used: openpty(3), and the ioctl for the size. */
interface Addon {
  open(columns: number, rows: number): { master: number; slave: number; pty: string }
  resize(master: number, columns: number, rows: number, width: number, height: number): void
}

function isAddon(value: unknown): value is Addon {
  if (typeof value !== 'object' || value === null || !('open' in value) || !('resize' in value)) return false
  return typeof value.open === 'function' && typeof value.resize === 'function'
}

/** struct winsize has unsigned shorts, ioctl_tty(2). */
const SIZE_MAX = 0xffff
const READ_BUFFER = 64 * 1024

let loaded: Addon | SshjobError | undefined

/** Whether this process runs on musl, by what proc(5) says is mapped into it. */
export function runsOnMusl(maps: string): boolean {
  return /\/(ld-musl|libc\.musl)-/.test(maps)
}

function load(): Addon {
  const require = createRequire(import.meta.url)
  const built = join(dirname(require.resolve('node-pty/package.json')), 'build/Release/pty.node')
  if (runsOnMusl(readFileSync('/proc/self/maps', 'latin1')) && !statSync(built, { throwIfNoEntry: false })) {
    // The builds inside the package are for glibc: loading one here ends the process.
    throw new Error('node-pty has no build for musl; a compiler makes one: npm rebuild node-pty')
  }
  const module: unknown = require('node-pty')
  const addon =
    typeof module === 'object' && module !== null && 'native' in module ? module.native : undefined
  if (!isAddon(addon)) throw new Error('node-pty is not of the version that this program was made for')
  return addon
}

/** Loaded at the first terminal: most commands need none, and where it can't be loaded they still run. */
function getAddon(): Addon {
  if (loaded === undefined) {
    try {
      loaded = load()
    } catch (cause) {
      const [reason] = messageOf(cause).split('\n')
      loaded = new SshjobError(
        'no-terminal',
        `No terminal can be opened, node-pty can't be loaded: ${reason}.`,
        {
          cause,
        },
      )
    }
  }
  if (loaded instanceof SshjobError) throw loaded
  return loaded
}

/** Why no terminal can be opened here, in one sentence; undefined if one can. */
export function terminalUnavailable(): string | undefined {
  try {
    getAddon()
    closeSync(openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK))
    return undefined
  } catch (error) {
    if (error instanceof SshjobError) return error.message
    return `No terminal can be opened, /dev/ptmx: ${messageOf(error)}.`
  }
}

export interface Terminal {
  /** /dev/pts/N */
  readonly name: string
  /** The slave, for stdin, stdout and stderr of the program. It belongs to the terminal. */
  readonly slave: number
  readonly stdin: Writable
  readonly stdout: Readable
  resize(size: TerminalSize): void
  /** The program has ended: from now on input is dropped, and the output ends after its last byte. */
  finish(): void
  /** Closes the terminal: what still uses it gets a hangup. */
  close(): void
}

function openPair(size: TerminalSize): { addon: Addon; master: number; slave: number; name: string } {
  const addon = getAddon()
  try {
    const pair = addon.open(clamp(size.columns), clamp(size.rows))
    try {
      // A description of our own, without the O_NONBLOCK that node-pty sets, and with close-on-exec.
      const slave = openSync(pair.pty, constants.O_RDWR | constants.O_NOCTTY)
      return { addon, master: pair.master, slave, name: pair.pty }
    } catch (error) {
      closeSync(pair.master)
      throw error
    } finally {
      closeSync(pair.slave)
    }
  } catch (cause) {
    const reason = terminalUnavailable() ?? endSentence(`No terminal can be opened: ${messageOf(cause)}`)
    throw new SshjobError('no-terminal', reason, { cause })
  }
}

const clamp = (value: number): number => Math.min(Math.max(Math.trunc(value) || 0, 0), SIZE_MAX)

/** Between a read and the copy of what it gave nothing else runs: all terminals can use the same. */
const buffer = Buffer.alloc(READ_BUFFER)

/**
 * Opens a pseudo-terminal with a reader and a writer of our own: node-pty's lose output at the end, spin when the
 * terminal is full, and write into descriptors that have been closed.
 * @throws SshjobError 'no-terminal'
 */
export function openTerminal(size: TerminalSize): Terminal {
  const { addon, master, slave, name } = openPair(size)
  const unhide = hideFromChildren(master)
  /** As long as we hold the slave, nobody's close hangs the terminal up: when the output ends is up to us. */
  let holdsSlave = true
  let finished = false
  let wanted = false
  let tail = 0
  let rounds = 0
  let quiet: NodeJS.Timeout | undefined

  const deliver = (length: number): void => {
    wanted = stdout.push(Buffer.from(buffer.subarray(0, length)))
    if (finished) tail += length
  }
  const onread: SocketConstructorOpts & ConnectOpts = {
    // What is read goes straight to stdout, so nothing is lost with the reader, and the order is that of the reads.
    onread: {
      buffer,
      callback(length) {
        deliver(length)
        return wanted && !finished
      },
    },
  }
  const reader = new ReadStream(master, onread)
  reader.on('error', () => undefined) // 'close' follows
  reader.on('close', () => {
    unhide()
    clearTimeout(quiet)
    releaseSlave()
    stdout.push(null)
  })

  const releaseSlave = (): void => {
    if (holdsSlave) closeSync(slave)
    holdsSlave = false
  }
  const close = (): void => {
    finished = true
    releaseSlave()
    reader.destroy()
  }

  /** One read of what is there. False when there is nothing (now, or any more: then the terminal is closed). */
  const readSome = (): boolean => {
    if (reader.destroyed) return false
    try {
      const length = readSync(master, buffer)
      if (length > 0) deliver(length)
      else close()
      return length > 0
    } catch (error) {
      // EIO: nobody has the terminal any more.
      if (systemCode(error) !== 'EAGAIN') close()
      return false
    }
  }

  /**
   * Reads what is left after the program's end, without libuv: that takes a hangup and a read that did not fill its
   * buffer for the end (uv__stream_io), but of a terminal a read gives 4 KiB, with more to come. The kernel says
   * EAGAIN only when nothing is left (n_tty_read flushes its buffers before), so all that the program wrote is
   * delivered when we let go of the slave. Then EIO is the end; it does not come while a background process holds
   * the terminal: quiet is the end then, or TERMINAL_QUIET_ROUNDS of it being talkative.
   */
  const drain = (): void => {
    clearTimeout(quiet)
    quiet = undefined
    let heard = false
    const readAll = (): void => {
      while (wanted && tail <= TERMINAL_TAIL_MAX && readSome()) heard = true
    }
    readAll()
    if (!wanted || reader.destroyed) return
    const first = holdsSlave
    releaseSlave()
    if (first) readAll()
    else if (!heard) close()
    if (tail > TERMINAL_TAIL_MAX || ++rounds > TERMINAL_QUIET_ROUNDS) close()
    if (wanted && !reader.destroyed) quiet = setTimeout(drain, TERMINAL_QUIET_MS)
  }

  const stdout = new Readable({
    highWaterMark: READ_BUFFER,
    read() {
      wanted = true
      if (!finished) reader.resume()
      else if (quiet === undefined) drain()
    },
    destroy(error, done) {
      close()
      done(error)
    },
  })

  const stdin = new Writable({
    highWaterMark: READ_BUFFER,
    write(chunk: Buffer, _encoding, done) {
      let offset = 0
      let pause = 1
      const attempt = (): void => {
        // Synchronously, on a descriptor that does not block: no write can be under way when it is closed, so none
        // can reach the file that gets its number next.
        while (!finished && !reader.destroyed && offset < chunk.length) {
          try {
            offset += writeSync(master, chunk, offset)
            pause = 1
          } catch (error) {
            if (systemCode(error) !== 'EAGAIN') break // hung up: nobody reads this any more
            setTimeout(attempt, pause)
            pause = Math.min(pause * 2, TERMINAL_RETRY_MAX_MS)
            return
          }
        }
        done()
      }
      attempt()
    },
  })
  stdin.on('error', () => undefined)

  let last: TerminalSize = { columns: 0, rows: 0, width: 0, height: 0 }
  const resize = (asked: TerminalSize): void => {
    if (reader.destroyed) return
    // RFC 4254 §6.2: a dimension of zero is to be ignored.
    const columns = clamp(asked.columns) || last.columns
    const rows = clamp(asked.rows) || last.rows
    last = { columns, rows, width: clamp(asked.width), height: clamp(asked.height) }
    addon.resize(master, columns, rows, last.width, last.height)
  }
  resize(size)

  return {
    name,
    slave,
    stdin,
    stdout,
    resize,
    finish() {
      if (finished) return
      finished = true
      reader.pause()
      drain()
    },
    close,
  }
}
