import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import type { ConnectOpts, SocketConstructorOpts } from 'node:net'
import { Readable, Writable } from 'node:stream'
import { ReadStream } from 'node:tty'
import { endSentence, messageOf, SshjobError, systemCode } from '../core/errors.js'
import {
  TERMINAL_QUIET_MS,
  TERMINAL_QUIET_ROUNDS,
  TERMINAL_RETRY_MAX_MS,
  TERMINAL_TAIL_MAX,
} from '../core/limits.js'
import { check, libc } from './libc.js'
import { openPty, type Pty } from './pty.js'
import { readForeground, setModes, type TerminalModes, type TerminalSize } from './termios.js'

const READ_BUFFER = 64 * 1024
/** Why no terminal can be opened here, in one sentence; undefined if one can. */
export function terminalUnavailable(): string | undefined {
  try {
    const { unlockpt } = libc()
    const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
    try {
      // Something else may be in its place.
      check(unlockpt(master), 'unlockpt')
    } finally {
      closeSync(master)
    }
    return undefined
  } catch (error) {
    if (error instanceof SshjobError) return error.message
    return `No terminal can be opened, /dev/ptmx: ${messageOf(error)}.`
  }
}

export interface Terminal {
  /** /dev/pts/N */
  readonly name: string
  readonly stdin: Writable
  readonly stdout: Readable
  /** The process group in its foreground, now or when it was closed: who is told by the kernel that it hangs up. */
  readonly foreground: number | undefined
  resize(size: TerminalSize): void
  /** The program has ended: from now on input is dropped, and the output ends after its last byte. */
  finish(): void
  /** Closes the terminal: what still uses it gets a hangup. */
  close(): void
}

/** @throws SshjobError 'no-terminal' */
function openPair(size: TerminalSize): Pty {
  try {
    return openPty(size)
  } catch (cause) {
    const reason = terminalUnavailable() ?? endSentence(`No terminal can be opened: ${messageOf(cause)}`)
    throw new SshjobError('no-terminal', reason, { cause })
  }
}

/** Between a read and the copy of what it gave nothing else runs: all terminals can use the same. */
const buffer = Buffer.alloc(READ_BUFFER)

/**
 * Opens a pseudo-terminal that begins with this size and these modes, with a reader and a writer of our own: those of
 * node-pty lose output at the end, spin when the terminal is full, and write into descriptors that have been closed.
 * @throws SshjobError 'no-terminal'
 */
export function openTerminal(size: TerminalSize, modes: TerminalModes = []): Terminal {
  const { master, slave, name, resize: setSize } = openPair(size)
  setModes(slave, modes)
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
    clearTimeout(quiet)
    releaseSlave()
    stdout.push(null)
  })

  const releaseSlave = (): void => {
    if (holdsSlave) closeSync(slave)
    holdsSlave = false
  }
  let foreground: number | undefined
  const look = (): number | undefined => {
    if (!reader.destroyed) foreground = readForeground(master)
    return foreground
  }
  const close = (): void => {
    look()
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
    last = { ...asked, columns: asked.columns || last.columns, rows: asked.rows || last.rows }
    setSize(last)
  }
  resize(size)

  return {
    name,
    stdin,
    stdout,
    get foreground() {
      return look()
    },
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
