/** A TCP port of a host, or a unix socket. */
export type Endpoint =
  | { host: string; port: number; path?: undefined }
  | { path: string; host?: undefined; port?: undefined }

/** Where to listen: a TCP port (0: any that is free), or a unix socket. */
export type ListenAt =
  | {
      /** Default: loopback. Another address of this machine lets others in. */
      host?: string
      port: number
      path?: undefined
    }
  | { path: string; host?: undefined; port?: undefined }

export interface OpenOptions {
  /** Aborting closes the stream, also later. */
  signal?: AbortSignal
}

/** A socket that listens, each of whose connections goes through the SSH connection. */
export interface Forwarding extends AsyncDisposable {
  /** Where it listens; the port is the real one. */
  readonly address: Endpoint
  /** How many connections go through it now. */
  readonly connections: number
  /** Listens no more; connections through it go on. */
  close(): Promise<void>
}

/** What a connection's forwardings report: a connection to a local port that could not be made at the other end. */
export interface ForwardOptions {
  /** Gets each failure to connect: the connection is closed then, and the forwarding goes on. Default: nothing. */
  onFailure?: (error: Error) => void
}
