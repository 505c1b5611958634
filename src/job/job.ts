import type { Readable, Writable } from 'node:stream'
import type { ProcessEnd } from '../process/exits.js'
import type { TerminalModes, TerminalSize } from '../process/termios.js'
import type { JobInside } from './inside.js'

export type { ProcessEnd, TerminalModes, TerminalSize }

export interface TerminalRequest extends TerminalSize {
  /** The value of TERM. */
  term: string
  modes: TerminalModes
}

/** What a session asks a job to run. */
export interface ProcessRequest {
  /** The command line, as bytes, for the shell's `-c`; undefined starts an interactive shell. */
  command: Buffer | undefined
  /** What the session adds to the job's environment. Values are bytes: they need not be UTF-8. */
  environment: ReadonlyMap<string, Buffer>
  /** With a terminal, the process gets a new pseudo-terminal; without, three pipes. */
  terminal: TerminalRequest | undefined
  /** Shells to try before the job's own, in order: absolute paths or names. */
  shells?: readonly string[]
}

/** A process of a session, running in the job. */
export interface JobProcess {
  readonly pid: number
  /** What whoever looks at the session should know of its start, a sentence each: that its shell is another, say. */
  readonly notices?: readonly string[]
  /** With back-pressure; ending it closes the pipe (a terminal has no end of input to give: it stays open). */
  readonly stdin: Writable
  /** Ends after the last byte. Not reading it stops the process, and loses nothing. */
  readonly stdout: Readable
  /** Undefined with a terminal. */
  readonly stderr: Readable | undefined
  /** Resolves once the process has ended; its output may still have to be read. Never rejects. */
  readonly ended: Promise<ProcessEnd>
  /** Changes the terminal's size; without a terminal, or after the end, nothing. */
  resize(size: TerminalSize): void
  /** Sends a signal ('TERM', without SIG) to the process group. False if the name is unknown or it has ended. */
  signal(name: string): boolean
  /** Sends a break (RFC 4335) to the terminal. False where that can't be done. */
  sendBreak(): boolean
  /**
   * The session is over: closes terminal and pipes, and ends what would be litter: HUP and TERM, KILL after
   * SESSION_KILL_DELAY_MS. What was left on purpose goes on (see docs/server.md), and all of it once the process has
   * ended by itself, as with sshd. Resolves when nothing is left that has to go. Safe to call twice.
   */
  terminate(): Promise<void>
}

/** A running job, seen by the server: who it is, and how to be inside it. */
export interface Job {
  readonly id: string
  /** The command and its arguments, for people. */
  readonly command: readonly string[]
  /** The name of the user that the job runs as, or its number where the account has no name. */
  readonly user: string
  readonly since: Date
  /** The job's processes now, outermost first. */
  pids(): readonly number[]
  /** Whether a terminal can be opened here: undefined, or the sentence that says why not. */
  terminalUnavailable(): string | undefined
  /**
   * Runs a command or a shell inside the job.
   * @throws SshjobError 'no-shell', 'no-terminal', 'spawn-failed'
   */
  spawn(request: ProcessRequest): JobProcess | Promise<JobProcess>
  /**
   * Its files, its network and its temporary directories, for file transfer and forwarding; called once for each
   * connection. A job that leaves it out offers none of them, and they are refused.
   */
  inside?(): JobInside
}
