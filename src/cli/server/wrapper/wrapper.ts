import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { EXIT_FAILURE } from '../../../core/exit-failure.js'
import { SIGNAL_MERGE_MS, WRAPPER_LOOK_MS } from '../../../core/limits.js'
import type { ProcessEnd } from '../../../job/job.js'
import { readStat } from '../../../process/process-tree.js'
import { signalNumber } from '../../../process/signals.js'
import { isStopped } from './is-stopped.js'

/** Set by wrapper.sh: its pid; its descriptors for the job's stdin, stdout and stderr; its two pipes; whether it is drowsy. */
const VARIABLE = 'SSHJOB_WRAPPER'

/** What wrapper.sh is told; its loop has what each means. */
export type Word =
  | 'starting'
  | `started ${number}`
  | `stop ${number}`
  | `say ${string}`
  | `exit ${number}`
  | `signal ${number}`
  | `bare ${string}`
  | 'bye'
  /** Nothing: a shell looks for signals before it reads the next word, and may have missed one before this. */
  | ''

/** How the job ended, for who waits for the wrapper. */
export function wordFor(end: ProcessEnd): Word {
  if (end.signal === undefined) return `exit ${end.exitCode}`
  const number = signalNumber(end.signal)
  return number === undefined ? `exit ${EXIT_FAILURE}` : `signal ${number}`
}

/** The number of a signal that the wrapper got; that it goes on after a stop; that it woke us as well. */
export type Report = number | 'continued' | 'woken'

/** wrapper.sh, of which this process is the child. */
export interface Wrapper {
  readonly pid: number
  /** The job's stdin, stdout and stderr: this process has none of its own. */
  readonly stdio: readonly [number, number, number]
  /** Its descriptors that are none of the job's. */
  readonly own: readonly number[]
  /** Its shell is bash, and learns of some signals only when it is told something. */
  readonly isDrowsy: boolean
  tell(word: Word): void
  /** Calls back for each report from now on, those that came before first. */
  onReport(listener: (report: Report) => void): void
  /** It is gone: it was killed, for it ends after us. */
  readonly gone: Promise<void>
}

/**
 * The wrapper that has started this process, or undefined where the server was started by itself. To be called once,
 * and before any other process is started: the pipes must not be theirs.
 */
export function findWrapper(): Wrapper | undefined {
  const text = process.env[VARIABLE]
  delete process.env[VARIABLE]
  const [pid, stdin, stdout, stderr, reports, answers, drowsy] = text?.split(' ').map(Number) ?? []
  if (pid !== process.ppid || stdin === undefined || stdout === undefined || stderr === undefined)
    return undefined
  if (reports === undefined || answers === undefined) return undefined
  if (!fstatSync(reports).isFIFO() || !fstatSync(answers).isFIFO()) return undefined
  return new PipedWrapper(pid, [stdin, stdout, stderr], { reports, answers }, drowsy === 1)
}

class PipedWrapper implements Wrapper {
  readonly pid: number
  readonly stdio: readonly [number, number, number]
  readonly own: readonly number[]
  readonly isDrowsy: boolean
  readonly gone: Promise<void>
  readonly #answers: number
  readonly #early: Report[] = []
  #listener: (report: Report) => void = (report) => this.#early.push(report)

  constructor(
    pid: number,
    stdio: readonly [number, number, number],
    { reports, answers }: { reports: number; answers: number },
    isDrowsy: boolean,
  ) {
    this.pid = pid
    this.stdio = stdio
    this.own = [...stdio, reports, answers]
    this.isDrowsy = isDrowsy
    this.#answers = reopen(answers, constants.O_WRONLY)
    const socket = new Socket({
      fd: reopen(reports, constants.O_RDONLY),
      readable: true,
      writable: false,
    })
    this.gone = once(socket, 'close').then(() => untilGone(pid))
    socket.on('error', () => undefined)
    let rest = ''
    socket.on('data', (chunk) => {
      const lines = `${rest}${chunk.toString('latin1')}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#receive(line)
    })
  }

  tell(word: Word): void {
    // A pipe that nobody reads is full one day, and then not even the end of the job could be told.
    if ((word === '' || word.startsWith('say ')) && isStopped(this.pid)) return
    try {
      writeSync(this.#answers, `${word.replaceAll(/\s+/g, ' ')}\n`)
    } catch {
      // It is gone.
    }
  }

  onReport(listener: (report: Report) => void): void {
    this.#listener = listener
    for (const report of this.#early.splice(0)) listener(report)
  }

  #receive(line: string): void {
    // The pipe began as a here-document, of one empty line.
    if (line === '') return
    if (line === 'continued' || line === 'woken') this.#listener(line)
    else if (line !== 'reaped') this.#listener(Number(line))
    setTimeout(() => this.tell(''), SIGNAL_MERGE_MS).unref()
  }
}

/** Its pipes are closed an instant before it is gone, and that they are must not be all that the job's life hangs on. */
async function untilGone(pid: number): Promise<void> {
  while (process.ppid === pid && !['Z', 'X', undefined].includes(readStat(pid)?.state))
    await delay(WRAPPER_LOOK_MS)
}

/**
 * One end of a pipe, not to be handed on to other processes, in the place of an inherited descriptor, which would be.
 * Opening it through /proc gives an end of its own, with flags of its own (proc(5)).
 */
function reopen(descriptor: number, flags: number): number {
  const own = openSync(`/proc/self/fd/${descriptor}`, flags | constants.O_NONBLOCK)
  closeSync(descriptor)
  return own
}
