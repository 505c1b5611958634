import type { ForwardingPolicy } from '../server/forwarding/policy.js'
import { formatAddress } from '../sockets/tcp.js'
import type { Config } from './config.js'
import type { KeyOptions } from './key-options.js'
import { matchesPattern } from './patterns.js'
import { LISTEN, OPEN, type Permits, readPermits } from './permits.js'

const CONFIGURATION = 'the configuration of this server does not allow it'
const KEY = 'the options of this key do not allow it'

/**
 * The forwardings that sshd would allow: both the configuration and the key have to. PermitOpen and PermitListen are
 * about TCP; unix sockets have AllowStreamLocalForwarding.
 */
export function makeForwarding(config: Config, key: KeyOptions): ForwardingPolicy {
  const disabled = config.flag('DisableForwarding')
  const permitOpen = [readPermits(config.words('PermitOpen'), OPEN), readPermits(key.permitOpen, OPEN)]
  const permitListen = [
    readPermits(config.words('PermitListen'), LISTEN),
    readPermits(key.permitListen, LISTEN),
  ]
  const mode = (name: string, wanted: 'local' | 'remote'): string | undefined => {
    const allowed = ['yes', 'all', wanted].includes(config.word(name) ?? 'yes')
    if (disabled || !allowed) return CONFIGURATION
    return key.portForwarding ? undefined : KEY
  }
  const places = (lists: readonly (Permits | undefined)[], host: string, port: number): string | undefined =>
    lists.every((list) => list === undefined || list.some((permit) => covers(permit, host, port)))
      ? undefined
      : `${formatAddress(host, port)} is not permitted`
  const extra = (name: string, permitted: boolean): string | undefined => {
    if (disabled || !config.flag(name)) return CONFIGURATION
    return permitted ? undefined : KEY
  }
  const gateway = config.word('GatewayPorts')
  return {
    open: (host, port) => mode('AllowTcpForwarding', 'local') ?? places(permitOpen, host, port),
    listen: (host, port) => mode('AllowTcpForwarding', 'remote') ?? places(permitListen, host, port),
    openUnix: () => mode('AllowStreamLocalForwarding', 'local'),
    listenUnix: () => mode('AllowStreamLocalForwarding', 'remote'),
    agent: () => extra('AllowAgentForwarding', key.agentForwarding),
    x11: () => extra('X11Forwarding', key.x11Forwarding),
    gatewayPorts: gateway === 'yes' || gateway === 'clientspecified' ? gateway : 'no',
    replacesSockets: config.flag('StreamLocalBindUnlink'),
    displays: { offset: config.number('X11DisplayOffset'), localhost: config.flag('X11UseLocalhost') },
  }
}

function covers(permit: { host: string; port: number | '*' }, host: string, port: number): boolean {
  return (
    (permit.port === '*' || permit.port === port) &&
    matchesPattern(host.toLowerCase(), permit.host.toLowerCase())
  )
}
