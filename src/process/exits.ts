import { EXIT_FAILURE } from '../core/exit-failure.js'
import { CHILD_LOOK_MS } from '../core/limits.js'
import { libc } from './libc.js'
import { signalName } from './signals.js'

/** How a process ended: by itself, or by a signal. */
export type ProcessEnd =
  | { exitCode: number; signal?: undefined }
  | { exitCode?: undefined; signal: string; coreDumped: boolean }

/** waitpid(2) */
const WNOHANG = 1
/** The longest that a timer takes: this one only keeps the program alive. */
const NEVER_MS = 2 ** 31 - 1
/** What is told of a process whose status somebody else has taken from us: of a program that can't be. */
const UNKNOWN: ProcessEnd = { exitCode: EXIT_FAILURE }

/** Our children, and who waits for the end of each. libuv waits for its own only, by their pids, as we do. */
const children = new Map<number, (end: ProcessEnd) => void>()
/** Those that the program is kept alive for. */
const holding = new Set<number>()
const status = Buffer.alloc(4)
let timer: NodeJS.Timeout | undefined
let signalled = false

/** The status of wait(2), as its macros read it. */
export function readStatus(code: number): ProcessEnd {
  const signal = code & 0x7f
  if (signal === 0) return { exitCode: (code >> 8) & 0xff }
  return { signal: signalName(signal), coreDumped: (code & 0x80) !== 0 }
}

function reap(): void {
  for (const [pid, tell] of children) {
    const reaped = libc().waitpid(pid, status, WNOHANG)
    if (reaped === 0) continue
    release(pid)
    children.delete(pid)
    tell(reaped === pid ? readStatus(status.readInt32LE(0)) : UNKNOWN)
  }
  schedule()
}

/**
 * SIGCHLD says when to look. It does not come through everywhere (to a worker thread, or into the copy of `process` that
 * a test runner gives to tests), so until it has come once, time says so as well. A timer also keeps the event loop
 * alive while somebody waits, as a ChildProcess does.
 */
function schedule(): void {
  clearInterval(timer)
  timer = undefined
  const looks = !signalled && children.size > 0
  if (!looks && holding.size === 0) return
  timer = setInterval(reap, looks ? CHILD_LOOK_MS : NEVER_MS)
  if (holding.size === 0) timer.unref()
}

let listening = false

/** To be called before a child is started: its SIGCHLD must find the listener. */
export function listenForExits(): void {
  if (listening) return
  listening = true
  process.on('SIGCHLD', () => {
    signalled = true
    reap()
  })
  // One to ourselves shows whether they come through.
  process.kill(process.pid, 'SIGCHLD')
}

/** Tells how a child ends. Never rejects. The program stays alive until then, or until the child is released. */
export function whenEnded(pid: number): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    children.set(pid, resolve)
    holding.add(pid)
    schedule()
  })
}

/** The program need not stay alive for this child; its end is told all the same if it does. */
export function release(pid: number): void {
  if (holding.delete(pid)) schedule()
}
