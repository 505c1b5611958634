import { closeSync, fstatSync, readdirSync } from 'node:fs'
import { check, libc } from './libc.js'

/** fcntl(2), close_range(2), open(2): the same on all processors that libc() knows. */
const F_SETFD = 2
const FD_CLOEXEC = 1
const F_DUPFD_CLOEXEC = 1030
const CLOSE_RANGE_CLOEXEC = 4
const O_CLOEXEC = 0o2000000
const LAST = 0xffff_ffff
/** Where neither the kernel nor /proc says which there are, so many numbers are tried: the usual soft limit. */
const USUAL_LIMIT = 1024

/** A pipe(7). */
export interface Pipe {
  readonly read: number
  readonly write: number
}

/**
 * Makes a pipe, both ends of which block and are kept from children.
 *
 * What Node.js calls a pipe is a pair of unix sockets, and a socket can't be opened again through /proc: on it,
 * `echo x > /dev/stderr` and `cat /dev/stdin` fail with ENXIO.
 * @throws SystemError, EMFILE for example
 */
export function makePipe(): Pipe {
  const ends = Buffer.alloc(8)
  check(libc().pipe2(ends, O_CLOEXEC), 'pipe2')
  return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) }
}

/** Makes three pipes, or none. @throws SystemError */
export function makeThreePipes(): [Pipe, Pipe, Pipe] {
  const made: Pipe[] = []
  const next = (): Pipe => {
    const pipe = makePipe()
    made.push(pipe)
    return pipe
  }
  try {
    return [next(), next(), next()]
  } catch (error) {
    for (const { read, write } of made) closeAll([read, write])
    throw error
  }
}

/** The name that /proc/PID/fd has for a pipe, whoever has it open. */
export function nameOfPipe(descriptor: number): string {
  return `pipe:[${fstatSync(descriptor).ino}]`
}

export function closeAll(descriptors: Iterable<number>): void {
  for (const descriptor of descriptors) closeSync(descriptor)
}

/** Keeps a descriptor from every child that is started from now on, whoever starts it. */
export function keepFromChildren(descriptor: number): void {
  libc().fcntl(descriptor, F_SETFD, FD_CLOEXEC)
}

/** Lets every child that is started from now on have a descriptor. */
export function handOn(descriptor: number): void {
  libc().fcntl(descriptor, F_SETFD, 0)
}

/**
 * Lets children have our stdin, stdout and stderr as they are: Node.js has set close-on-exec on them when it started
 * (uv_disable_stdio_inheritance). Who starts other children gives them three of their own.
 */
export function handOnStandardStreams(): void {
  for (const descriptor of [0, 1, 2]) handOn(descriptor)
}

let inheritedAreKept = false

/**
 * Keeps the descriptors above stderr that we were started with from every child that is started from now on. A lock or
 * a pipe of the batch system is not for sessions: they would hold it as long as they run.
 */
export function keepInheritedFromChildren(): void {
  if (inheritedAreKept) return
  inheritedAreKept = true
  if (libc().closeRange(3, LAST, CLOSE_RANGE_CLOEXEC) === 0) return
  // A kernel before 5.11.
  for (const descriptor of listDescriptors()) if (descriptor > 2) keepFromChildren(descriptor)
}

function listDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number)
  } catch {
    return Array.from({ length: USUAL_LIMIT }, (_, number) => number)
  }
}

/** The number that the next descriptor gets. @throws SystemError, EMFILE where there is none */
export function lowestFree(): number {
  const number = check(libc().fcntl(0, F_DUPFD_CLOEXEC, 0), 'fcntl')
  closeSync(number)
  return number
}
