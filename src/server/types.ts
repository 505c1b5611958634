import type { SshjobError } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { SessionObserver } from './observer.js'

/** What of a connection's options is plain data. */
export interface ConnectionSettings {
  /** Shells to try before the job's own. Default: none. */
  shells?: readonly string[]
  /** Ends the connection after this many milliseconds without traffic on any channel. Default: 0, never. */
  idleTimeoutMs?: number
  /** What an interactive shell is greeted with; false says nothing. Default: welcome with host, job id and pids. */
  motd?: string | false
  /** What SSH_CONNECTION says of the client: '192.0.2.7 53422 192.0.2.1 22'. Default: 'UNKNOWN 65535 UNKNOWN 65535'. */
  peer?: string
}

/** How a connection is served, beside who is let in and what they may do. */
export interface ConnectionOptions extends Omit<ConnectionSettings, 'motd'> {
  /** As of ConnectionSettings, or what gives it. */
  motd?: string | (() => string) | false
  /** Called for each session: what looks on at it, if anything does. */
  observer?: () => SessionObserver | undefined
  /** Ends the connection when aborted; sessions in it are told the reason. */
  signal?: AbortSignal
  log?: Logger
}

/** One served connection. */
export interface Served {
  /** Resolves, and never rejects, when the connection is over and none of its processes is left: the first cause,
   *  or undefined after an orderly end. */
  readonly closed: Promise<SshjobError | undefined>
  /** True once the client has authenticated. */
  readonly authenticated: boolean
  /** Channels open now. */
  readonly channels: number
  /** Says a sentence to every open session (on stderr or the terminal), then ends the connection and its processes. */
  end(reason: SshjobError): Promise<void>
}
