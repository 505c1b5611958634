import { matchesList, matchesPattern, splitList } from '../core/patterns.js'
import { hasInvalidNetwork, matchesAddress } from './patterns.js'

/** Who connects from where to where, as far as it is known: what Match looks at. */
export interface ConnectionSpec {
  user?: string | undefined
  host?: string | undefined
  address?: string | undefined
  localAddress?: string | undefined
  localPort?: number | undefined
  routingDomain?: string | undefined
}

interface Criterion {
  fits: (spec: ConnectionSpec) => boolean
}

/** The criteria of one Match line. */
export interface Match {
  /** 'Match all', which counts also where nothing is known of the connection. */
  all: boolean
  /** Whether it looks at the user's name. */
  user: boolean
  fits: (spec: ConnectionSpec) => boolean
}

/** @returns the sentence that says what is wrong, where something is */
export function parseMatch(words: readonly string[]): Match | string {
  if (words.length === 0) return 'Match needs criteria'
  if (words[0]?.toLowerCase() === 'all') {
    return words.length === 1
      ? { all: true, user: false, fits: () => true }
      : "'all' stands alone behind Match"
  }
  const criteria: Criterion[] = []
  let user = false
  // 'User=name' as well as 'User name', as sshd takes both.
  const parts = words.flatMap((word, index) => splitCriterion(word, words[index - 1]))
  for (let at = 0; at < parts.length; at += 2) {
    const [name = '', list] = [parts[at], parts[at + 1]]
    if (list === undefined) return `Match ${name} needs a value`
    const criterion = parseCriterion(name.toLowerCase(), list)
    if (typeof criterion === 'string') return criterion
    criteria.push(criterion)
    if (name.toLowerCase() === 'user') user = true
  }
  return { all: false, user, fits: (spec) => criteria.every(({ fits }) => fits(spec)) }
}

function splitCriterion(word: string, before: string | undefined): string[] {
  const equals = word.indexOf('=')
  const isName = before === undefined || !NAMES.includes(before.toLowerCase())
  return isName && equals > 0 ? [word.slice(0, equals), word.slice(equals + 1)] : [word]
}

const NAMES = ['user', 'host', 'address', 'localaddress', 'localport', 'rdomain', 'group']

function parseCriterion(name: string, text: string): Criterion | string {
  const list = splitList(text)
  if (list.length === 0) return `Match ${name} needs a value`
  const over = (
    value: (spec: ConnectionSpec) => string | undefined,
    matches = matchesPattern,
  ): Criterion => ({
    fits: (spec) => {
      const found = value(spec)
      return found !== undefined && matchesList(found, list, matches) === 'yes'
    },
  })
  switch (name) {
    case 'user':
      return over((spec) => spec.user)
    case 'host':
      return over(
        (spec) => spec.host?.toLowerCase(),
        (host, pattern) => matchesPattern(host, pattern.toLowerCase()),
      )
    case 'address':
      return invalidNetwork(list, text) ?? over((spec) => spec.address, matchesAddress)
    case 'localaddress':
      return invalidNetwork(list, text) ?? over((spec) => spec.localAddress, matchesAddress)
    case 'localport': {
      const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
      return port === 0 ? `'${text}' is no port` : { fits: (spec) => spec.localPort === port }
    }
    case 'rdomain':
      return over((spec) => spec.routingDomain)
    case 'group':
      return 'Match Group is not supported: the groups of a name are not looked up'
    default:
      return `Match has no criterion '${name}'`
  }
}

function invalidNetwork(list: readonly string[], text: string): string | undefined {
  return hasInvalidNetwork(list) ? `'${text}' has bits set behind a mask` : undefined
}
