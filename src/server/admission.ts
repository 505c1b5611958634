import { LOGIN_GRACE_MS } from '../core/limits.js'
import type { Algorithms } from '../ssh/algorithms.js'
import { type Login, onlyKeys } from '../ssh/authentication.js'
import { type HostKey, hostKeysOf } from '../ssh/host-keys.js'
import type { RekeyLimits } from '../ssh/key-renewal.js'
import type { ParsedKey } from '../ssh/keys.js'
import type { ForwardingPolicy } from './forwarding/policy.js'

/** Our own server of files, where relative paths start in this folder, if not where they always do; or a command for
 *  the shell. */
export type Subsystem = { kind: 'files'; directory?: string } | { kind: 'command'; command: string }

/** What one client may do, once it has shown who it is, and what its sessions are given. */
export interface Rules {
  forwarding: ForwardingPolicy
  /** Run in place of whatever a client asks for: sshd_config(5) ForceCommand. */
  forced?: Subsystem | undefined
  /** Set in every session, whatever the client sets. Default: nothing. */
  environment?: ReadonlyMap<string, Buffer>
  /** Which variables a client may set. Default: all that may be set at all. */
  acceptsVariable?: (name: string) => boolean
  /** Why there are no terminals. Default: there are. */
  terminalRefusal?: string | undefined
  /** By name; undefined: there is no such subsystem. Default: 'sftp', our own. */
  subsystem?: (name: string) => Subsystem | undefined
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
}

/** Who is let in, and how: everything that is decided before a client has authenticated. */
export interface Admission {
  hostKeys: readonly HostKey[]
  login: (user: string) => Login<Rules>
  /** Default: ALGORITHMS. */
  algorithms?: Algorithms
  /** Milliseconds until a client must have authenticated; 0 is for ever. */
  loginGraceMs: number
  /** Whether a client is told of all host keys, to know them when it comes again. Default: no, they are of this session. */
  announcesHostKeys?: boolean
}

/** The simple case: host keys of this session, best first, and the keys that get in. */
export function admitKeys(
  hostKeys: readonly ParsedKey[],
  clientKeys: readonly ParsedKey[],
  forwarding: ForwardingPolicy,
): Admission {
  return {
    hostKeys: hostKeys.flatMap(hostKeysOf),
    login: onlyKeys(clientKeys, { forwarding }),
    loginGraceMs: LOGIN_GRACE_MS,
  }
}
