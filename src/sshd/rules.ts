import { REKEY_BYTES, REKEY_MS } from '../core/limits.js'
import { matchesList, splitList } from '../core/patterns.js'
import type { Rules } from '../server/rules.js'
import type { Config } from './config.js'
import type { KeyOptions } from './key-options.js'
import { makePermissions } from './permissions.js'
import { subsystemsOf, toSubsystem } from './subsystem.js'
import { toMilliseconds } from './values.js'

/** What is different where the sessions are, whatever the configuration says. */
export interface PlaceRules {
  /** Whether a forced command need not be run: the session is already what it would make of it. */
  replacesForcedCommand(command: string): boolean
}

/** What the configuration and the options of a key let whoever has it do in this place. */
export function makeRules(config: Config, key: KeyOptions, place: PlaceRules): Rules {
  // The configuration's comes before the key's: sshd_config(5) ForceCommand.
  const forced = config.unlessNone('ForceCommand') ?? key.command
  const interval = toMilliseconds(config.number('ClientAliveInterval'))
  const gateway = config.word('GatewayPorts')
  const unused = config.unlessNone('UnusedConnectionTimeout')
  return {
    permissions: makePermissions(config, key),
    forced: forced === undefined || place.replacesForcedCommand(forced) ? undefined : toSubsystem(forced),
    environment: makeEnvironment(config, key),
    acceptedVariables: config.all('AcceptEnv').flat(),
    subsystems: subsystemsOf(config),
    maxSessions: config.number('MaxSessions'),
    keepAlive:
      interval === 0 ? undefined : { intervalMs: interval, countMax: config.number('ClientAliveCountMax') },
    rekey: readRekey(config),
    unusedMs: unused === undefined ? undefined : toMilliseconds(Number(unused)),
    authenticationInfo: config.flag('ExposeAuthInfo'),
    gatewayPorts: gateway === 'yes' || gateway === 'clientspecified' ? gateway : 'no',
    replacesSockets: config.flag('StreamLocalBindUnlink'),
    displays: { offset: config.number('X11DisplayOffset'), localhost: config.flag('X11UseLocalhost') },
  }
}

function readRekey(config: Config): Rules['rekey'] {
  const [size = '0', time = '0'] = config.words('RekeyLimit').map((word) => (word === 'default' ? '0' : word))
  const [bytes, seconds] = [Number(size), Number(time) || 0]
  if (bytes === 0 && seconds === 0) return undefined
  return { bytes: bytes === 0 ? REKEY_BYTES : bytes, ms: seconds === 0 ? REKEY_MS : toMilliseconds(seconds) }
}

/** SetEnv wins over the key's, and both over what the client sets; of two for one variable, the first: sshd(8). */
function makeEnvironment(config: Config, key: KeyOptions): Record<string, string> {
  const made = new Map<string, string>()
  for (const word of config.words('SetEnv')) {
    const equals = word.indexOf('=')
    const name = word.slice(0, equals)
    if (!made.has(name)) made.set(name, word.slice(equals + 1))
  }
  const permit = config.word('PermitUserEnvironment') ?? 'no'
  for (const [name, value] of key.environment) {
    if (made.has(name) || !permits(permit, name)) continue
    made.set(name, value)
  }
  return Object.fromEntries(made)
}

function permits(permit: string, name: string): boolean {
  const lower = permit.toLowerCase()
  if (lower === 'yes' || lower === 'no') return lower === 'yes'
  return matchesList(name, splitList(permit)) === 'yes'
}
