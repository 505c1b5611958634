import type { Duplex } from 'node:stream'
import type { SshjobError } from '../core/errors.js'
import type { Logger } from '../core/log.js'

/** What only HTCondor's tools need to know. */
export interface HtcondorOptions {
  /** The schedd that has the job, as `-name` of HTCondor's tools. Default: the one of this machine. */
  name?: string | undefined
  /** The central manager that knows the schedd, as `-pool` of HTCondor's tools. Default: that of this machine. */
  pool?: string | undefined
  /** The shells to try in the job, separated by commas. Default: $SHELL. */
  shells?: string | undefined
  /** Whether condor_ssh_to_job says on our stderr all that it does. Default: false. */
  debug?: boolean | undefined
}

export interface EngineOptions {
  htcondor?: HtcondorOptions | undefined
  signal?: AbortSignal | undefined
  log?: Logger | undefined
}

/** A job as the engine that runs it describes it. */
export interface EngineJob {
  id: string
  /** In the engine's own word: 'running', 'idle', 'held', …. */
  state: string
  /** Why it is in a state in which it can't be entered, where the engine says so. */
  reason: string | undefined
  host: string | undefined
  user: string
  /** Since when it is in this state, ISO 8601. */
  since: string | undefined
  command: string[]
}

/** The way into a job. */
export interface OpenedJob {
  stream: Duplex
  /** Absent: the hello comes next. Present: the engine has exchanged the keys already. */
  credentials?: { privateKey: string; hostKey: string }
  username?: string
}

export interface ExplainOptions extends EngineOptions {
  /** Whether it may take seconds to find out more. */
  thorough?: boolean | undefined
}

/** What runs jobs, knows its users, and has a way in that it authenticates itself. */
export interface Engine {
  /** What stands before the colon in 'htcondor:1138.0'. */
  readonly name: string
  /** The full id that this text means, or undefined if it can be none of this engine's. */
  recognise(text: string): string | undefined
  /** Whether the engine's programs are on this machine. */
  isHere(): boolean
  /** What to say to who asks for one of its jobs where they are not: the end of a sentence. */
  readonly absence: string
  /** The user's jobs that have not ended. @throws SshjobError 'unreachable', 'program-missing', 'aborted' */
  list(options: EngineOptions): Promise<EngineJob[]>
  /** @throws SshjobError for explain() */
  open(id: string, options: EngineOptions): Promise<OpenedJob>
  /** Why a job could not be opened: the job's state if that is the reason, or else what is known of the failure. */
  explain(id: string, failure: SshjobError, options: ExplainOptions): Promise<SshjobError>
  /** Takes the job out of the queue. Synchronous, because it is done when a signal ends us. */
  remove(id: string, options: EngineOptions): void
}
