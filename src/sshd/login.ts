import { messageOf } from '../core/errors.js'
import { BANNER_MAX_BYTES } from '../core/limits.js'
import type { Logger } from '../core/log.js'
import { matchesList, matchesPattern } from '../core/patterns.js'
import type { Rules } from '../server/rules.js'
import type { Login, OfferedKey } from '../ssh/authentication.js'
import { isShortRsa } from '../ssh/keys.js'
import { chooseAlgorithms } from './algorithm-list.js'
import { parseAuthorizedKeys } from './authorized-keys.js'
import { type Config, resolveConfig } from './config.js'
import { expandPath, readKeyFile, type SessionUser } from './key-files.js'
import type { KeyOptions } from './key-options.js'
import type { ConnectionSpec } from './match.js'
import { matchesAddress } from './patterns.js'
import { readAtMost } from './read-at-most.js'
import type { Directive } from './read-config.js'
import { makeRules, type PlaceRules } from './rules.js'

export interface LoginOptions {
  directives: readonly Directive[]
  /** Who connects from where, as far as that is known before the client has said its name. */
  connection: ConnectionSpec
  /** Whose session it will be, whatever name the client says. */
  user: SessionUser
  log: Logger
  place: PlaceRules
}

/** What awaits a client under the name that it says. */
export function makeLogin(options: LoginOptions, name: string): Login<Rules> {
  const { directives, connection, user, log } = options
  const config = resolveConfig(directives, { ...connection, user: name })
  const refusal = refuseUser(options, config, name)
  if (refusal !== undefined) log.warn({ user: name, reason: refusal }, 'login refused')
  const accepted = chooseAlgorithms('PubkeyAcceptedAlgorithms', config.word('PubkeyAcceptedAlgorithms'))
  return {
    banner: readBanner(config, log),
    maxTries: config.number('MaxAuthTries'),
    authorize(key) {
      if (refusal !== undefined || !config.flag('PubkeyAuthentication')) return undefined
      if (!accepted.includes(key.algorithm)) return undefined
      if (isShortRsa(key.blob, config.number('RequiredRSASize'))) return undefined
      const found = findKey(key, options, config)
      if (found === undefined || !mayBeRoot(config, found, user)) return undefined
      return makeRules(config, found, options.place)
    },
  }
}

/** Why nobody gets in under this name, or undefined. */
function refuseUser(
  { directives, connection, user }: LoginOptions,
  config: Config,
  name: string,
): string | undefined {
  // A session is this user's, whatever name the client says. So where the configuration treats users differently, a
  // client must not choose how it is treated by choosing a name.
  const aboutUsers = directives.some(
    ({ keyword, conditions }) =>
      ['AllowUsers', 'DenyUsers'].includes(keyword.name) || conditions.some((match) => match.user),
  )
  if (aboutUsers && name !== user.name) return `sessions here are ${user.name}'s`
  const fits = (pattern: string): boolean => matchesUser(pattern, name, connection)
  const listed = (keyword: string): string[] => config.all(keyword).flat()
  if (listed('DenyUsers').some(fits)) return 'DenyUsers'
  const allowed = listed('AllowUsers')
  return allowed.length > 0 && !allowed.some(fits) ? 'AllowUsers' : undefined
}

/** 'USER' or 'USER@HOST', both patterns: sshd_config(5) AllowUsers. */
function matchesUser(pattern: string, name: string, { host = '', address = '' }: ConnectionSpec): boolean {
  const at = pattern.lastIndexOf('@')
  if (at < 0) return matchesPattern(name, pattern)
  const place = pattern.slice(at + 1)
  const from = matchesAddress(address, place) || matchesPattern(host.toLowerCase(), place.toLowerCase())
  return from && matchesPattern(name, pattern.slice(0, at))
}

function mayBeRoot(config: Config, { command }: KeyOptions, { uid }: SessionUser): boolean {
  const permit = config.word('PermitRootLogin')
  if (uid !== 0 || (permit !== 'no' && permit !== 'forced-commands-only')) return true
  const forced = config.unlessNone('ForceCommand') ?? command
  return permit === 'forced-commands-only' && forced !== undefined
}

/** The options of the first line that has this key and lets it in now, from here. */
function findKey(key: OfferedKey, options: LoginOptions, config: Config): KeyOptions | undefined {
  const { user, log, connection } = options
  for (const pattern of config.words('AuthorizedKeysFile')) {
    if (pattern.toLowerCase() === 'none') continue
    const file = expandPath(pattern, user)
    const text = readKeyFile(file, user, config.flag('StrictModes'), log)
    if (text === undefined) continue
    const { keys, unusable } = parseAuthorizedKeys(text)
    for (const { line, reason } of unusable) log.info({ file, line, reason }, 'a key is not used')
    for (const { blob, options: keyOptions, line } of keys) {
      if (!blob.equals(key.blob)) continue
      const refusal = refuseKey(keyOptions, connection)
      if (refusal === undefined) return keyOptions
      log.warn({ file, line, reason: refusal }, 'a key is not accepted')
    }
  }
  return undefined
}

function refuseKey(
  { from, expiry }: KeyOptions,
  { address = '', host = '' }: ConnectionSpec,
): string | undefined {
  if (expiry !== undefined && Date.now() >= expiry) return 'it has expired'
  if (from === undefined) return undefined
  const fits = (_text: string, pattern: string): boolean =>
    matchesAddress(address, pattern) || matchesPattern(host.toLowerCase(), pattern.toLowerCase())
  return matchesList(address, from, fits) === 'yes' ? undefined : `the client comes from ${address}`
}

function readBanner(config: Config, log: Logger): string | undefined {
  const file = config.unlessNone('Banner')
  if (file === undefined) return undefined
  try {
    return readAtMost(file, BANNER_MAX_BYTES).toString('utf8')
  } catch (error) {
    // As in sshd: a banner that is not there keeps nobody out.
    log.info({ file, reason: messageOf(error) }, 'the banner is not shown')
    return undefined
  }
}
