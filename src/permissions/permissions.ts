/** A port of a host. The host is a pattern of ssh_config(5), compared with what the client writes; '*' is any port. */
export interface PermittedPort {
  host: string
  port: number | '*'
}

/** Of a kind of places: all, none, or these. */
export type Permitted<Place> = 'all' | 'none' | readonly Place[]

/** What is forwarded: RFC 4254 §7, and OpenSSH's for unix sockets, which are named by their paths. */
export interface ForwardingPermissions {
  /** Connections from the client's side into the job. */
  open: Permitted<PermittedPort>
  openUnix: Permitted<string>
  /** Sockets in the job whose connections go to the client's side. */
  listen: Permitted<PermittedPort>
  listenUnix: Permitted<string>
}

/**
 * What one authority lets a client do: a configuration, the options of a key, those of the job's starter, a capability.
 * Plain data, which JSON keeps as it is.
 */
export interface Permissions {
  /** Who says so, the beginning of the sentence that a client is refused with: "the job's starter". */
  by: string
  shell: boolean
  /** Commands, and subsystems that are commands. */
  exec: boolean
  sftp: boolean
  terminal: boolean
  forwarding: ForwardingPermissions
  agent: boolean
  x11: boolean
  /** Nothing but to see what others do: whatever else is permitted does not count. */
  watchOnly: boolean
  /** Milliseconds since the epoch: from then on it lets nobody in. Whoever is in by then stays. Default: never. */
  expires?: number | undefined
}

/** Of all the authorities that have a say. What one of them does not permit is refused. */
export type Grants = readonly [Permissions, ...Permissions[]]

/** Everything: for an authority that takes away from it. */
export function everything(by: string): Permissions {
  return {
    by,
    shell: true,
    exec: true,
    sftp: true,
    terminal: true,
    forwarding: { open: 'all', openUnix: 'all', listen: 'all', listenUnix: 'all' },
    agent: true,
    x11: true,
    watchOnly: false,
  }
}
