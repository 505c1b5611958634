import { messageOf } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { JobProcess, ProcessEnd, TerminalSize } from '../job/job.js'

/** What has begun in a session. */
export type SessionStart =
  | { kind: 'process'; pid: number; command: Buffer | undefined; terminal: TerminalSize | undefined }
  | { kind: 'files'; directory: string }

/**
 * Looks on at one session: for an audit, figures, a recording. It is told, and never waited for; what it throws is logged
 * and harms nobody. Chunks are its to read until it returns: their bytes are others'.
 */
export interface SessionObserver {
  started?(start: SessionStart): void
  /** 1: stdout, and all that a terminal shows; 2: stderr. Not of files. */
  output?(fd: 1 | 2, chunk: Buffer): void
  /** What a client has sent for its process. Not of files. */
  input?(chunk: Buffer): void
  /** The terminal has another size. */
  resized?(size: TerminalSize): void
  /** The process has ended, or the client has had enough of files. The last output may come after it. */
  exited?(end: ProcessEnd): void
}

/** An observer all of whose methods are there, and throw nothing. */
export type SafeObserver = Required<SessionObserver>

/** @param make gives the observer of one session, if there is to be one */
export function safeObserver(
  make: (() => SessionObserver | undefined) | undefined,
  log: Logger,
): SafeObserver | undefined {
  const safely = <T>(tell: () => T): T | undefined => {
    try {
      return tell()
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'an observer of a session has failed')
      return undefined
    }
  }
  const observer = make && safely(make)
  if (observer === undefined) return undefined
  return {
    started: (start) => safely(() => observer.started?.(start)),
    output: (fd, chunk) => safely(() => observer.output?.(fd, chunk)),
    input: (chunk) => safely(() => observer.input?.(chunk)),
    resized: (size) => safely(() => observer.resized?.(size)),
    exited: (end) => safely(() => observer.exited?.(end)),
  }
}

/** Has a process observed, whoever sees it. Its output has to be read from the same turn of the event loop on. */
export function observe(process: JobProcess, observer: SafeObserver): void {
  process.stdout.on('data', (chunk: Buffer) => observer.output(1, chunk))
  process.stderr?.on('data', (chunk: Buffer) => observer.output(2, chunk))
  void process.ended.then((end) => observer.exited(end))
}
