import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { systemCode } from '../core/errors.js'
import { PIPE_POOL_MIN, PIPE_WAIT_MS } from '../core/limits.js'
import { callAttendant, PIPE_DESCRIPTORS, tellAttendant } from './attendant.js'

/**
 * Real pipes for commands without a terminal.
 *
 * What Node.js calls a pipe is a pair of unix sockets, and a socket can't be opened again through /proc: on it,
 * `echo x > /dev/stderr` and `cat /dev/stdin` fail with ENXIO. A FIFO is no way out either: who opens one for
 * reading when its writer has gone already waits for ever (fifo(7)), as `python3 /dev/stdin < script` would. So
 * the attendant makes pipes with pipe(2), and we open both ends through its /proc/PID/fd. That is done ahead of
 * time, a few pipes at once.
 */

/** Which end is the child's. It is opened blocking, as programs expect; ours is not. */
export type Direction = 'to-child' | 'from-child'

export interface Pipe {
  /** Our end. */
  readonly ours: number
  /** The child's end; to be closed here once the child has it. */
  readonly theirs: number
}

type State = 'idle' | 'making' | 'dropping' | 'impossible'

/** Open for reading and writing, so that the pipe stays as it is until it is used. */
const pool: number[] = []
let state: State = 'idle'
let maker: number | undefined
let fresh: number[] = []
let timer: NodeJS.Timeout | undefined

function closeAll(descriptors: Iterable<number>): void {
  for (const descriptor of descriptors) closeSync(descriptor)
}

/** What a descriptor of the attendant is: 'pipe:[4711]', or undefined when it is closed. */
function look(descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/${maker}/fd/${descriptor}`)
  } catch {
    return undefined
  }
}

/** Takes out the one line of the here-document that came with the pipe. */
function empty(descriptor: number): void {
  try {
    readSync(descriptor, Buffer.alloc(1))
  } catch (error) {
    if (systemCode(error) !== 'EAGAIN') throw error
  }
}

function openFresh(): void {
  const opened: number[] = []
  try {
    for (const number of PIPE_DESCRIPTORS) {
      const descriptor = openSync(`/proc/${maker}/fd/${number}`, constants.O_RDWR | constants.O_NONBLOCK)
      opened.push(descriptor)
      if (!fstatSync(descriptor).isFIFO()) throw new Error('The shell keeps here-documents in files.')
      empty(descriptor)
    }
  } catch {
    // No /proc, a shell of another kind, no descriptors left: socket pairs do then.
    closeAll(opened)
    state = 'impossible'
    return
  }
  fresh = opened
  tellAttendant('drop')
  state = 'dropping'
}

/** Goes one step towards seven more pipes, if that can be done without waiting. */
function advance(): void {
  const pid = callAttendant()
  if (pid === undefined) {
    state = 'impossible'
    return
  }
  if (pid !== maker) {
    // A new attendant: what the old one was asked for never comes; what it held, it no longer holds.
    pool.push(...fresh.splice(0))
    maker = pid
    state = 'idle'
  }
  // The descriptors are opened and closed in order: the last one says that all are done.
  const last = look(PIPE_DESCRIPTORS[PIPE_DESCRIPTORS.length - 1] ?? 9)
  if (state === 'idle') {
    tellAttendant('pipes')
    state = 'making'
  } else if (state === 'making' && last !== undefined) {
    openFresh()
  } else if (state === 'dropping' && last === undefined) {
    // Only now: with an end in the attendant's hands, no one would see the other end close.
    pool.push(...fresh.splice(0))
    state = 'idle'
  }
}

/** Fills the pool in the background. */
export function preparePipes(): void {
  if (timer !== undefined || state === 'impossible') return
  if (state === 'idle' && pool.length >= PIPE_POOL_MIN) return
  advance()
  timer = setTimeout(() => {
    timer = undefined
    preparePipes()
  }, 1)
  timer.unref()
}

/** Fills the pool at once, for a burst that has emptied it. */
function waitForPipes(count: number): boolean {
  const clock = new Int32Array(new SharedArrayBuffer(4))
  const deadline = Date.now() + PIPE_WAIT_MS
  while (pool.length < count && state !== 'impossible' && Date.now() < deadline) {
    advance()
    Atomics.wait(clock, 0, 0, 0.1)
  }
  return pool.length >= count
}

function split(both: number, direction: Direction): Pipe {
  // Opening a pipe again through /proc gives an end of its own, with flags of its own (proc(5)).
  const path = `/proc/self/fd/${both}`
  const opened: number[] = []
  const open = (flags: number): number => {
    const descriptor = openSync(path, flags)
    opened.push(descriptor)
    return descriptor
  }
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
  try {
    return direction === 'to-child'
      ? { theirs: open(O_RDONLY), ours: open(O_WRONLY | O_NONBLOCK) }
      : { theirs: open(O_WRONLY), ours: open(O_RDONLY | O_NONBLOCK) }
  } catch (error) {
    closeAll(opened)
    throw error
  } finally {
    closeSync(both)
  }
}

/**
 * Takes a pipe for each direction given. It waits, at most PIPE_WAIT_MS, only if a burst has emptied the pool.
 * @returns undefined where pipes can't be made: no /bin/sh, or no /proc
 * @throws a system error, EMFILE for example
 */
export function takePipes(directions: readonly Direction[]): Pipe[] | undefined {
  if (pool.length < directions.length && !waitForPipes(directions.length)) return undefined
  const pipes: Pipe[] = []
  try {
    for (const direction of directions) {
      const both = pool.shift()
      if (both !== undefined) pipes.push(split(both, direction))
    }
  } catch (error) {
    for (const { ours, theirs } of pipes) closeAll([ours, theirs])
    throw error
  } finally {
    preparePipes()
  }
  return pipes
}
