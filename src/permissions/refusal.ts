import { formatAddress } from '../core/format-address.js'
import { matchesPattern } from '../core/patterns.js'
import type { Grants, Permissions, Permitted, PermittedPort } from './permissions.js'

/** What a client asks for. */
export type Wish =
  | { kind: 'shell' | 'exec' | 'sftp' | 'terminal' | 'agent' | 'x11' }
  | { kind: 'open' | 'listen'; host: string; port: number }
  | { kind: 'openUnix' | 'listenUnix'; path: string }

const NAMES = {
  shell: 'shells',
  exec: 'commands',
  sftp: 'file transfer',
  terminal: 'terminals',
  agent: 'agent forwarding',
  x11: 'X11 forwarding',
  open: 'local forwarding',
  openUnix: 'local forwarding',
  listen: 'remote forwarding',
  listenUnix: 'remote forwarding',
} as const satisfies Record<Wish['kind'], string>

/** The sentence that says why this is refused, without its full stop; undefined where all permit it. */
export function refusalOf(grants: Grants, wish: Wish): string | undefined {
  for (const permissions of grants) {
    const refusal = refusalBy(permissions, wish)
    if (refusal !== undefined) return `${permissions.by} ${refusal}`
  }
  return undefined
}

/** Whether one of them lets nobody in any more. */
export function hasExpired(grants: Grants, now = Date.now()): boolean {
  return grants.some(({ expires }) => expires !== undefined && now >= expires)
}

function refusalBy(permissions: Permissions, wish: Wish): string | undefined {
  if (permissions.watchOnly) return 'allows to watch only'
  const none = `allows no ${NAMES[wish.kind]}`
  switch (wish.kind) {
    case 'open':
    case 'listen': {
      const { host, port } = wish
      const fits = (permit: PermittedPort): boolean => coversPort(permit, host, port)
      return refusalOfPlace(permissions.forwarding[wish.kind], fits, none, formatAddress(host, port))
    }
    case 'openUnix':
    case 'listenUnix': {
      const { path } = wish
      return refusalOfPlace(permissions.forwarding[wish.kind], (permit) => permit === path, none, path)
    }
    default:
      return permissions[wish.kind] ? undefined : none
  }
}

function refusalOfPlace<Place>(
  permitted: Permitted<Place>,
  fits: (place: Place) => boolean,
  none: string,
  place: string,
): string | undefined {
  if (permitted === 'all') return undefined
  if (permitted === 'none') return none
  return permitted.some(fits) ? undefined : `does not permit ${place}`
}

function coversPort(permit: PermittedPort, host: string, port: number): boolean {
  if (permit.port !== '*' && permit.port !== port) return false
  return matchesPattern(host.toLowerCase(), permit.host.toLowerCase())
}
