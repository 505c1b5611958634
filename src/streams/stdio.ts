import fs from 'node:fs'
import net from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'
import tty from 'node:tty'
import { SshjobError } from '../core/errors.js'
import { JoinedStream } from './joined.js'

const STDIN = 0
const STDOUT = 1
const STDERR = 2

/**
 * The connection that this process was given as stdin and stdout: one socket, as inetd(8) does it, or two pipes.
 * From then on nothing else of this process writes to stdout: what would goes to stderr.
 * @throws SshjobError 'usage' where stdin or stdout is a terminal
 */
export function stdioStream(): Duplex {
  const { input, output } = openStdio()
  if (input instanceof net.Socket && output === input) return input
  return new JoinedStream(input, output)
}

/** As stdioStream(), in two halves, which are the same stream where stdin and stdout are one socket. */
export function openStdio(): { input: Readable; output: Writable } {
  if (tty.isatty(STDIN) || tty.isatty(STDOUT)) {
    throw new SshjobError(
      'usage',
      'A connection is expected on stdin and stdout, not a terminal: this is for programs to start.',
    )
  }
  reserveStdout()
  if (isOneSocket()) {
    const socket = new net.Socket({ fd: STDIN, allowHalfOpen: true })
    socket.setNoDelay(true)
    socket.once('close', () => {
      release(STDIN)
      release(STDOUT)
    })
    return { input: socket, output: socket }
  }
  const input = openInput()
  input.once('close', () => release(STDIN))
  const output = openOutput()
  output.once('close', () => release(STDOUT))
  return { input, output }
}

function isOneSocket(): boolean {
  const [input, output] = [fs.fstatSync(STDIN), fs.fstatSync(STDOUT)]
  return input.isSocket() && input.dev === output.dev && input.ino === output.ino
}

function isPipeOrSocket(fd: number): boolean {
  const status = fs.fstatSync(fd)
  return status.isFIFO() || status.isSocket()
}

function openInput(): Readable {
  if (!isPipeOrSocket(STDIN)) return fs.createReadStream('', { fd: STDIN, autoClose: false })
  return new net.Socket({ fd: STDIN, readable: true, writable: false, allowHalfOpen: true })
}

/** Not process.stdout: its writes to a pipe block the whole process until the reader reads. */
function openOutput(): Writable {
  if (!isPipeOrSocket(STDOUT)) return fs.createWriteStream('', { fd: STDOUT, autoClose: false })
  const output = new net.Socket({ fd: STDOUT, readable: false, writable: true, allowHalfOpen: true })
  output.setNoDelay(true)
  return output
}

/** A stray console.log() would land in the middle of SSH's bytes. */
function reserveStdout(): void {
  const { stderr } = process
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: () => stderr })
}

/**
 * libuv never closes descriptors 0 to 2, so that the other side would hear of the end only when we exit. Closed by
 * hand, the number must not be handed to the next file that is opened: /dev/null takes it.
 */
function release(fd: number): void {
  if (fd > STDERR) return
  fs.closeSync(fd)
  fs.openSync('/dev/null', 'r+')
}
