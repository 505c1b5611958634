import type { Duplex } from 'node:stream'
import type { SshjobError } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { Environment } from '../job/environment.js'
import type { Job } from '../job/job.js'

/** What an engine is told by its flags: `--name ap1` is { name: 'ap1' }. */
export type FlagValues = Readonly<Record<string, string | undefined>>

/** An option of an engine: `--name VALUE` of the command line, and `name` in the engine's settings of the library. */
export interface EngineFlag {
  /** The placeholder of its value. */
  readonly value: string
  /** Half a sentence without its capital and its full stop, in ASCII. The engine's name is put before it. */
  readonly help: string
  /**
   * Whether it says where a job is looked for. Then every command that takes a job or lists them has it, and where it
   * is given, the job is one of this engine. All others are about the session.
   */
  readonly finds: boolean
}

/** What runs jobs, knows its users, and has a way in that it authenticates itself. */
export interface Engine<Name extends string = string, Settings extends object = FlagValues> {
  /** In programs: what lists of jobs say, and the name of its settings. */
  readonly name: Name
  /** For people. */
  readonly title: string
  /** What stands before the colon in 'htcondor:1138.0'; absent: its names are plain, and looked up before all others. */
  readonly prefix?: string
  readonly flags: Readonly<Record<keyof Settings & string, EngineFlag>>
  /** What its ids are, as the end of a sentence: 'they have numbers'. */
  readonly ids: string
  /** A call of sshjob, and what it does, for the manual. */
  readonly example?: readonly [call: string, what: string]
  /** Whether its jobs can be taken out of a queue: JobAddress.remove(). */
  readonly removes: boolean
  /** Whether what it needs is on this machine. */
  isHere(): boolean
  /** What to say to who asks for one of its jobs where it is not: the end of a sentence. */
  readonly absence?: string
  /** The job that this text names, whether or not it exists; undefined if it can be none of this engine's. */
  parse(text: string, settings: Settings): JobAddress | undefined
  /** The user's jobs that have not ended. @throws SshjobError 'unreachable', 'program-missing', 'aborted' */
  list(settings: Settings, options: ListOptions): Promise<EngineJob[]>
  /** Which of its jobs a process with these variables is in; undefined if in none. It is the job that says so. */
  enclosing?(environment: Readonly<Record<string, string | undefined>>): EnclosingJob | undefined
  /**
   * The job that the engine has started this process for, to serve sessions into it in the place of sshd(8); undefined
   * where it has not.
   * @param variables gives what this process was started with
   * @throws SshjobError 'denied' where it has, and for which job can't be found out
   */
  serving?(variables: () => Environment): Promise<ServedJob | undefined>
}

/** A job of an engine by its name there: made once of what a user has said, and carried along. */
export interface JobAddress {
  /** The name of the engine. */
  readonly engine: string
  /** The id, complete, as the engine's list has it. */
  readonly id: string
  /** Whether programs of the engine are started to open it, so that there is time for something else meanwhile. */
  readonly isSlow: boolean
  /** How long to pause between two tries to open it, where asking costs others something. */
  readonly retry?: { readonly intervalMs: number; readonly maxIntervalMs: number }
  /** Why a stock SSH client can't be carried there, in a sentence with what to do instead; absent: it can be. */
  readonly noStockClient?: string
  /** @throws SshjobError for explain() */
  open(options: OpenOptions): Promise<OpenedJob>
  /** Why it could not be opened, or was lost: the job's state if that is the reason, or else what is known of the failure. */
  explain(failure: SshjobError, options: ExplainOptions): Promise<SshjobError>
  /** Takes the job out of the queue. Synchronous, because it is done when a signal ends us. */
  remove?(): void
}

export interface OpenOptions {
  signal?: AbortSignal | undefined
  log?: Logger | undefined
  /** Whether programs of the engine say on our stderr all that they do. Default: false. */
  debug?: boolean | undefined
  /** Where else a job of this name could be, and why it is not looked for there: the end of a sentence. */
  elsewhere?: string | undefined
}

/** The way into a job. */
export interface OpenedJob {
  stream: Duplex
  /** Absent: the hello comes next. Present: the engine has exchanged the keys already. */
  credentials?: { privateKey: string; hostKey: string }
  username?: string
}

export interface ExplainOptions {
  signal?: AbortSignal | undefined
  /** Whether it may take seconds to find out more. */
  thorough?: boolean | undefined
}

export interface ListOptions {
  signal?: AbortSignal | undefined
  /** How long to wait for what does not answer, in milliseconds. Default: the engine's own limit. */
  timeoutMs?: number | undefined
  /** Gets why a single job that is there is not listed. */
  onFailure: (failure: SshjobError) => void
}

/** A job as the engine that runs it describes it. */
export interface EngineJob {
  id: string
  /** In the engine's own word: 'running', 'idle', 'held', …. */
  state: string
  /** Why it is in a state in which it can't be entered, where the engine says so. */
  reason?: string | undefined
  host?: string | undefined
  user: string
  /** Since when it is in this state, ISO 8601. */
  since?: string | undefined
  /** Command and arguments, for people. */
  command: string[]
  /** Its processes, on its host, where they are known. */
  pids?: number[] | undefined
}

/** A job that a process is in, as far as the engine has left word of it there. */
export interface EnclosingJob {
  readonly id: string
  readonly command: readonly string[]
  readonly since?: Date | undefined
}

/** How sessions are served in a job by a process that its engine has started for that. */
export interface ServedJob {
  readonly job: Job
  /** What an interactive shell is greeted with. */
  greeting(): string
  /** Whether this forced command of an authorized key is the engine's own, which the job does by itself. */
  replacesForcedCommand(command: string): boolean
  /** Whether this process is outside of the container that the job runs in, or that can't be told. */
  readonly isOutside: boolean
}
