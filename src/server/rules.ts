import type { Grants } from '../permissions/permissions.js'
import type { RekeyLimits } from '../ssh/key-renewal.js'

/** Our own server of files, where relative paths start in this folder, if not where they always do; or a command for
 *  the shell. */
export type Subsystem = { kind: 'files'; directory?: string } | { kind: 'command'; command: string }

/** What one client may do, once it has shown who it is, and what its sessions are given: plain data, which JSON keeps. */
export interface Rules {
  permissions: Grants
  /** Run in place of whatever a client asks for: sshd_config(5) ForceCommand. */
  forced?: Subsystem | undefined
  /** Set in every session, whatever the client sets. Default: nothing. */
  environment?: Readonly<Record<string, string>>
  /** Which variables a client may set, by patterns of their names. Default: all that may be set at all. */
  acceptedVariables?: readonly string[]
  /** By their names. Default: 'sftp', our own. */
  subsystems?: Readonly<Record<string, Subsystem>>
  /** Sessions open at a time on this connection. Default: as many as there may be channels. */
  maxSessions?: number
  /** The client is asked whether it is there after this long without a word, and given up after so many questions. */
  keepAlive?: { intervalMs: number; countMax: number } | undefined
  /** Ends the connection when no channel has been open for so many milliseconds. Default: never. */
  unusedMs?: number | undefined
  /** Writes down in SSH_USER_AUTH's file how the client has authenticated: sshd_config(5) ExposeAuthInfo. */
  authenticationInfo?: boolean
  /** Default: REKEY_BYTES, REKEY_MS. */
  rekey?: RekeyLimits | undefined
  /** Who may connect to what a client listens on: sshd_config(5) GatewayPorts. Default: 'no', this machine alone. */
  gatewayPorts?: GatewayPorts
  /** Whether a socket that a client listens on takes the place of one that is there: sshd_config(5)
   *  StreamLocalBindUnlink. Default: no. */
  replacesSockets?: boolean
  /** Where displays are. Default: from X11_DISPLAY_OFFSET on, on this machine alone. */
  displays?: Displays
}

/** The number of the first display, and whether other machines may not connect: sshd_config(5) X11UseLocalhost. */
export interface Displays {
  offset: number
  localhost: boolean
}

/** 'yes': everybody; 'clientspecified': whoever the client says. */
export type GatewayPorts = 'no' | 'yes' | 'clientspecified'
