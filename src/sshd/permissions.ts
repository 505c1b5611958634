import {
  everything,
  type ForwardingPermissions,
  type Grants,
  type Permissions,
} from '../permissions/permissions.js'
import { LISTEN, OPEN } from '../permissions/permits.js'
import type { Config } from './config.js'
import type { KeyOptions } from './key-options.js'
import { readPermits } from './permits.js'

const NONE: ForwardingPermissions = { open: 'none', openUnix: 'none', listen: 'none', listenUnix: 'none' }

/** What sshd would permit: both the configuration and the key have to. */
export function makePermissions(config: Config, key: KeyOptions): Grants {
  return [ofConfig(config), ofKey(key)]
}

/** PermitOpen and PermitListen are about TCP; unix sockets have AllowStreamLocalForwarding. */
function ofConfig(config: Config): Permissions {
  const disabled = config.flag('DisableForwarding')
  const allows = (name: string, wanted: 'local' | 'remote'): boolean =>
    !disabled && ['yes', 'all', wanted].includes(config.word(name) ?? 'yes')
  return {
    ...everything('the configuration of this server'),
    terminal: config.flag('PermitTTY'),
    forwarding: {
      open: allows('AllowTcpForwarding', 'local') ? readPermits(config.words('PermitOpen'), OPEN) : 'none',
      listen: allows('AllowTcpForwarding', 'remote')
        ? readPermits(config.words('PermitListen'), LISTEN)
        : 'none',
      openUnix: allows('AllowStreamLocalForwarding', 'local') ? 'all' : 'none',
      listenUnix: allows('AllowStreamLocalForwarding', 'remote') ? 'all' : 'none',
    },
    agent: !disabled && config.flag('AllowAgentForwarding'),
    x11: !disabled && config.flag('X11Forwarding'),
  }
}

function ofKey(key: KeyOptions): Permissions {
  const forwarding: ForwardingPermissions = {
    open: readPermits(key.permitOpen, OPEN),
    listen: readPermits(key.permitListen, LISTEN),
    openUnix: 'all',
    listenUnix: 'all',
  }
  return {
    ...everything("this key's line in its file"),
    terminal: key.pty,
    forwarding: key.portForwarding ? forwarding : NONE,
    agent: key.agentForwarding,
    x11: key.x11Forwarding,
    expires: key.expiry,
  }
}
