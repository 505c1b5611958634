import { REKEY_BYTES, REKEY_MS } from '../core/limits.js'
import type { Rules } from '../server/admission.js'
import type { ForwardingPolicy } from '../server/forwarding/policy.js'
import type { Config } from './config.js'
import { makeForwarding } from './forwarding.js'
import type { KeyOptions } from './key-options.js'
import { matchesList, matchesPattern, splitList } from './patterns.js'
import { findSubsystem, toSubsystem } from './subsystem.js'
import { toMilliseconds } from './values.js'

/** What is different where the sessions are, whatever the configuration says. */
export interface PlaceRules {
  /** Whether a forced command need not be run: the session is already what it would make of it. */
  replacesForcedCommand(command: string): boolean
  /** What is left of the forwardings that the configuration and the key allow. Default: all of them. */
  restrict?(policy: ForwardingPolicy): ForwardingPolicy
}

/** What the configuration and the options of a key let whoever has it do in this place. */
export function makeRules(config: Config, key: KeyOptions, place: PlaceRules): Rules {
  // The configuration's comes before the key's: sshd_config(5) ForceCommand.
  const forced = config.unlessNone('ForceCommand') ?? key.command
  const forwarding = makeForwarding(config, key)
  const patterns = config.all('AcceptEnv').flat()
  const interval = toMilliseconds(config.number('ClientAliveInterval'))
  const unused = config.unlessNone('UnusedConnectionTimeout')
  return {
    forwarding: place.restrict?.(forwarding) ?? forwarding,
    forced: forced === undefined || place.replacesForcedCommand(forced) ? undefined : toSubsystem(forced),
    environment: makeEnvironment(config, key),
    acceptsVariable: (name) => patterns.some((pattern) => matchesPattern(name, pattern)),
    terminalRefusal: config.flag('PermitTTY') && key.pty ? undefined : 'PermitTTY or the key says no',
    subsystem: (name) => findSubsystem(config, name),
    maxSessions: config.number('MaxSessions'),
    keepAlive:
      interval === 0 ? undefined : { intervalMs: interval, countMax: config.number('ClientAliveCountMax') },
    rekey: readRekey(config),
    unusedMs: unused === undefined ? undefined : toMilliseconds(Number(unused)),
    authenticationInfo: config.flag('ExposeAuthInfo'),
  }
}

function readRekey(config: Config): Rules['rekey'] {
  const [size = '0', time = '0'] = config.words('RekeyLimit').map((word) => (word === 'default' ? '0' : word))
  const [bytes, seconds] = [Number(size), Number(time) || 0]
  if (bytes === 0 && seconds === 0) return undefined
  return { bytes: bytes === 0 ? REKEY_BYTES : bytes, ms: seconds === 0 ? REKEY_MS : toMilliseconds(seconds) }
}

/** SetEnv wins over the key's, and both over what the client sets; of two for one variable, the first: sshd(8). */
function makeEnvironment(config: Config, key: KeyOptions): Map<string, Buffer> {
  const made = new Map<string, Buffer>()
  for (const word of config.words('SetEnv')) {
    const equals = word.indexOf('=')
    const name = word.slice(0, equals)
    if (!made.has(name)) made.set(name, Buffer.from(word.slice(equals + 1)))
  }
  const permit = config.word('PermitUserEnvironment') ?? 'no'
  for (const [name, value] of key.environment) {
    if (made.has(name) || !permits(permit, name)) continue
    made.set(name, Buffer.from(value))
  }
  return made
}

function permits(permit: string, name: string): boolean {
  const lower = permit.toLowerCase()
  if (lower === 'yes' || lower === 'no') return lower === 'yes'
  return matchesList(name, splitList(permit)) === 'yes'
}
