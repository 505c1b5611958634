import type { Duplex, Readable, Writable } from 'node:stream'
import type { SshjobError } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { JobInfo } from '../hello/messages.js'
import type { TerminalModes, TerminalSize } from '../job/job.js'
import type { Endpoint, Forwarding, ForwardOptions, ListenAt, OpenOptions } from './forwarding/types.js'
import type { X11Display } from './forwarding/x11-display.js'
import type { RemoteFiles } from './sftp/types.js'

export type { Endpoint, Forwarding, ForwardOptions, ListenAt, OpenOptions } from './forwarding/types.js'
export type { X11Display } from './forwarding/x11-display.js'

export interface ConnectOptions {
  /**
   * The keys of both ends in OpenSSH's formats, on paths where they were exchanged already. Default: fresh ones,
   * exchanged by the hello.
   */
  credentials?: { privateKey: string; hostKey: string }
  /** The user name to send. The server ignores it: a session always runs as the job's user. Default: 'job'. */
  username?: string
  /** Ends the connection, also later, when aborted. */
  signal?: AbortSignal
  log?: Logger
}

export interface ExecOptions {
  /** Variables to add to the job's environment. A value may be bytes. */
  env?: Readonly<Record<string, string | Buffer>>
  /** Run in a pseudo-terminal: stdout and stderr arrive as one. Default: false. */
  pty?: boolean | PtyOptions
  /** What the command reads; undefined leaves `stdin` to the caller, null gives it nothing. */
  stdin?: Readable | string | Buffer | null
  /**
   * The path of an agent's socket here (as in SSH_AUTH_SOCK): programs of the session may use its keys, and so may
   * whoever has the job's rights meanwhile. Default: none.
   */
  agent?: string
  /**
   * A display of X11 here: programs of the session may use it, and so may whoever has the job's rights meanwhile.
   * Default: none. Rejects with 'no-display' where it lets in none that are not trusted.
   */
  x11?: X11Display
  /** Aborting ends the command (TERM, then KILL) and closes its streams. */
  signal?: AbortSignal
}

export interface PtyOptions extends Partial<TerminalSize> {
  /** TERM. Default: 'xterm-256color'. */
  term?: string
  modes?: TerminalModes
}

export interface ShellOptions extends PtyOptions {
  env?: Readonly<Record<string, string | Buffer>>
  /** False runs the shell on pipes. Default: true. */
  pty?: boolean
  /**
   * The path of an agent's socket here (as in SSH_AUTH_SOCK): programs of the session may use its keys, and so may
   * whoever has the job's rights meanwhile. Default: none.
   */
  agent?: string
  /**
   * A display of X11 here: programs of the session may use it, and so may whoever has the job's rights meanwhile.
   * Default: none. Rejects with 'no-display' where it lets in none that are not trusted.
   */
  x11?: X11Display
  signal?: AbortSignal
}

export type SubsystemOptions = Pick<ExecOptions, 'env' | 'signal'>

/** How a remote process ended. Exactly one of exitCode and signal is set. */
export type RemoteEnd =
  | { exitCode: number; signal: undefined }
  | { exitCode: undefined; signal: string; coreDumped: boolean; message: string }

export interface Output {
  stdout: Buffer
  stderr: Buffer
  exitCode: number | undefined
  signal: string | undefined
}

/** A command or shell that runs in the job. */
export interface RemoteProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /**
   * How it ended. Resolves when the server has said so, which is after all output was sent (not necessarily read).
   * Rejects with the cause if the connection or the channel ends first: 'connection-lost', 'aborted', ….
   */
  readonly ended: Promise<RemoteEnd>
  /** Reads stdout and stderr to their end. @throws SshjobError 'output-limit' past `limit` bytes of either
   *  (default OUTPUT_LIMIT, 16 MiB); the command is ended then. */
  output(options?: { limit?: number }): Promise<Output>
  resize(size: Partial<TerminalSize> & { columns: number; rows: number }): void
  /** Sends a signal by its name without SIG: 'TERM', 'INT', …. */
  sendSignal(name: string): void
  /** Sends a break (RFC 4335) of `milliseconds` (default 500) to the terminal; true if the server did it. */
  sendBreak(milliseconds?: number): Promise<boolean>
  /** Closes the channel; the server ends what still runs. */
  close(): void
}

/** One SSH connection into a job. A call that is given what its types forbid fails with 'usage', and names it. */
export interface JobConnection extends AsyncDisposable {
  /** What the server said of the job in its hello; undefined when credentials were given instead. */
  readonly job: JobInfo | undefined
  /** Resolves, and never rejects, when the connection is over: with the first cause, or undefined after close(). */
  readonly closed: Promise<SshjobError | undefined>
  /**
   * Runs a command in the job, RFC 4254 §6.5: the job's shell gets it as it is (`sh -c`), so quote for that shell. It
   * runs in the job's environment and working directory, on pipes unless `pty` says otherwise. Resolves once the server
   * has started it; how it ends is `ended` of what this gives. Up to MAX_CHANNELS (256) run at a time, side by side.
   * @throws SshjobError 'request-refused' with the server's reason where it can't be started, 'no-terminal', 'usage',
   *   'channel-refused' beyond that number, 'aborted', and what ends a connection
   */
  exec(command: string | Buffer, options?: ExecOptions): Promise<RemoteProcess>
  /**
   * Starts an interactive shell in the job, by default in a pseudo-terminal of 80 columns and 24 rows, whose stdout and
   * stderr arrive as one. Not a login shell: it has the job's environment and working directory.
   * @throws SshjobError as exec()
   */
  shell(options?: ShellOptions): Promise<RemoteProcess>
  /** Starts a subsystem of the server, such as 'sftp', to speak its protocol oneself. */
  subsystem(name: string, options?: SubsystemOptions): Promise<RemoteProcess>
  /**
   * A TCP connection made from inside the job, names being looked up there. Its two directions end separately.
   * @throws SshjobError 'channel-refused' with why it could not be made, 'aborted'
   */
  openTcp(host: string, port: number, options?: OpenOptions): Promise<Duplex>
  /** A connection to a unix socket of the job. @throws SshjobError as openTcp() */
  openUnix(path: string, options?: OpenOptions): Promise<Duplex>
  /**
   * Listens here: each connection is one to `to`, made from inside the job (`ssh -L`).
   * @throws SshjobError 'unreachable' where that can't be listened on
   */
  forwardLocal(from: ListenAt, to: Endpoint, options?: ForwardOptions): Promise<Forwarding>
  /** Listens here as a SOCKS server (4, 4a, 5), whose connections are made from inside the job (`ssh -D`). */
  forwardDynamic(from: ListenAt, options?: ForwardOptions): Promise<Forwarding>
  /**
   * Listens in the job, on loopback or a unix socket: each connection is one to `to`, made from here (`ssh -R`).
   * @throws SshjobError 'request-refused' where the server can't or won't listen
   */
  forwardRemote(from: ListenAt, to: Endpoint, options?: ForwardOptions): Promise<Forwarding>
  /**
   * Listens in the job as a SOCKS server (4, 4a, 5), whose connections are made from here (`ssh -R PORT`): whoever
   * reaches it there, reaches what this machine does.
   * @throws SshjobError as forwardRemote()
   */
  forwardRemoteDynamic(from: ListenAt, options?: ForwardOptions): Promise<Forwarding>
  /** The job's files, over SFTP: a channel is opened with the first call. */
  readonly files: RemoteFiles
  /** Asks for a new key exchange. */
  rekey(): void
  /** Asks the peer for a sign of life; resolves when it has answered. */
  ping(): Promise<void>
  /** Ends all processes of this connection and the connection. */
  close(): Promise<void>
}
