import { LOGIN_GRACE_MS } from '../core/limits.js'
import { hasExpired } from '../permissions/refusal.js'
import type { Algorithms } from '../ssh/algorithms.js'
import { type Login, onlyKeys } from '../ssh/authentication.js'
import { type HostKey, hostKeysOf } from '../ssh/host-keys.js'
import type { ParsedKey } from '../ssh/keys.js'
import type { Rules } from './rules.js'

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

/** A login that lets nobody in by what has expired. */
export function unlessExpired({ authorize, ...login }: Login<Rules>): Login<Rules> {
  return {
    ...login,
    authorize(key) {
      const rules = authorize(key)
      return rules === undefined || hasExpired(rules.permissions) ? undefined : rules
    },
  }
}

/** The simple case: host keys of this session, best first, and the keys that get in. */
export function admitKeys(
  hostKeys: readonly ParsedKey[],
  clientKeys: readonly ParsedKey[],
  rules: Rules,
): Admission {
  return {
    hostKeys: hostKeys.flatMap(hostKeysOf),
    login: onlyKeys(clientKeys, rules),
    loginGraceMs: LOGIN_GRACE_MS,
  }
}
