import { SshjobError } from '../core/errors.js'
import { LISTEN, OPEN } from '../permissions/permits.js'
import { chooseAlgorithms, isAlgorithmList } from './algorithm-list.js'
import { findKeyword, KEYWORDS, type Keyword, type Kind } from './keywords.js'
import { parseListenAddress } from './listening.js'
import type { ConnectionSpec } from './match.js'
import { hasInvalidNetwork } from './patterns.js'
import { isPermit } from './permits.js'
import type { Directive } from './read-config.js'
import { refuseFileServer } from './subsystem.js'
import { splitWords } from './words.js'

/** Kinds of which every line counts; of others, the first. */
const ACCUMULATING: readonly Kind[] = ['more', 'many', 'port', 'address', 'subsystem']

/** What a configuration says for one connection, or for all of them. */
export interface Config {
  /** Every line that counts, in its order; the preset where there is none, and nothing where there is no preset. */
  all(name: string): readonly (readonly string[])[]
  /** What stands in the line that counts. */
  words(name: string): readonly string[]
  /** The one word of it; undefined where nothing is set. */
  word(name: string): string | undefined
  /** As word(), without the one that stands for nothing. */
  unlessNone(name: string): string | undefined
  flag(name: string): boolean
  number(name: string): number
}

/**
 * What of the directives counts: below Match, those whose criteria fit; they override those that stand alone; and of
 * several the first (sshd_config(5), Match). Without a `spec` nothing is known of the connection, and only what holds
 * for all of them counts.
 */
export function resolveConfig(directives: readonly Directive[], spec?: ConnectionSpec): Config {
  const linesOf = (keyword: Keyword): readonly (readonly string[])[] => {
    const lines = directives.filter((directive) => directive.keyword === keyword)
    const alone = lines.filter(({ conditions }) => conditions.every(({ all }) => all && spec === undefined))
    const fitting =
      spec && lines.filter(({ conditions }) => conditions.length > 0 && conditions.every((c) => c.fits(spec)))
    const counting = fitting !== undefined && fitting.length > 0 ? fitting : alone
    const used = ACCUMULATING.includes(keyword.kind) ? counting : counting.slice(0, 1)
    if (used.length > 0) return used.map(({ values }) => values)
    return keyword.default === undefined ? [] : [splitWords(keyword.default) ?? []]
  }
  const all = (name: string): readonly (readonly string[])[] => linesOf(knownKeyword(name))
  const words = (name: string): readonly string[] => all(name)[0] ?? []
  const word = (name: string): string | undefined => words(name)[0]
  return {
    all,
    words,
    word,
    unlessNone(name) {
      const found = word(name)
      return found?.toLowerCase() === 'none' ? undefined : found
    },
    flag: (name) => word(name) === 'yes',
    number: (name) => Number(word(name)),
  }
}

function knownKeyword(name: string): Keyword {
  const keyword = findKeyword(name)
  if (keyword === undefined || keyword === 'deprecated') throw new Error(`${name} is no keyword`)
  return keyword
}

/**
 * Refuses what restricts and can't be honoured, wherever it could come to count.
 * @throws SshjobError 'usage' that names the directive and its place
 */
export function checkHonoured(directives: readonly Directive[]): void {
  const seen = new Set<Keyword>()
  for (const { keyword, values, conditions, place } of directives) {
    const again = seen.has(keyword) && !ACCUMULATING.includes(keyword.kind)
    if (conditions.length === 0) seen.add(keyword)
    // The first one counts: what was overridden on the command line restricts nobody.
    if (keyword.treatment !== 'refused' || (again && conditions.length === 0)) continue
    const { only = [] } = keyword
    if (values.every((value) => only.includes(value.toLowerCase()))) continue
    const alternative = only.length === 0 ? 'Leave it out.' : `It may be ${only.join(' or ')}.`
    throw new SshjobError(
      'usage',
      `${place}: ${keyword.name} is not supported by sshjob-server, and ignoring it would be unsafe. ${alternative}`,
    )
  }
  checkSubsystems(directives)
  for (const { keyword, values, place } of directives) checkContents(keyword.name, values, place)
}

function checkSubsystems(directives: readonly Directive[]): void {
  const names = new Set<string>()
  for (const { keyword, values, place } of directives) {
    const [name = '', command = ''] = values
    if (keyword.name !== 'Subsystem') continue
    const refusal = refuseFileServer(command, name)
    if (refusal !== undefined) throw new SshjobError('usage', `${place}: ${refusal}.`)
    if (names.has(name)) throw new SshjobError('usage', `${place}: there is a subsystem '${name}' already.`)
    names.add(name)
  }
}

function checkContents(name: string, values: readonly string[], place: string): void {
  const refusal = name === 'ForceCommand' ? refuseFileServer(values[0] ?? '') : undefined
  if (refusal !== undefined) throw new SshjobError('usage', `${place}: ${refusal}.`)
  if (isAlgorithmList(name) && chooseAlgorithms(name, values[0]).length === 0) {
    throw new SshjobError('usage', `${place}: sshjob-server has none of the algorithms of ${name}.`)
  }
  const form = name === 'PermitOpen' ? OPEN : name === 'PermitListen' ? LISTEN : undefined
  const noPermit = form && values.find((value) => !isPermit(value, form))
  if (noPermit !== undefined) throw new SshjobError('usage', `${place}: '${noPermit}' is no ${form}.`)
  if (name.endsWith('Users') && hasInvalidNetwork(values.map((value) => value.replace(/^.*@/, '')))) {
    throw new SshjobError('usage', `${place}: a network of ${name} has bits set behind its mask.`)
  }
  const unnamed = name === 'SetEnv' ? values.find((value) => !/^[^=]+=/.test(value)) : undefined
  if (unnamed !== undefined) throw new SshjobError('usage', `${place}: '${unnamed}' sets no variable.`)
}

/** The configuration as `sshd -T` prints it: every keyword that counts here, so that it can be read again. */
export function dumpConfig(config: Config): string {
  const lines = KEYWORDS.flatMap((keyword) => {
    const { name: written } = keyword
    const name = written.toLowerCase()
    if (keyword.kind === 'any' || written === 'Port' || written === 'ListenAddress') return []
    if (isAlgorithmList(written))
      return [`${name} ${chooseAlgorithms(written, config.word(written)).join(',')}`]
    return config.all(written).map((words) => {
      if (keyword.kind === 'rekey') return `${name} ${dumpRekey(words)}`
      return `${name} ${words.map((word) => (keyword.kind === 'rest' ? word : quote(word))).join(' ')}`
    })
  })
  return `${[...dumpAddresses(config), ...lines].join('\n')}\n`
}

function dumpRekey(words: readonly string[]): string {
  return words[0] === 'default' ? '0 0' : words.join(' ')
}

function quote(word: string): string {
  return /[\s"'#\\]/.test(word) || word === '' ? `"${word.replace(/["\\]/g, '\\$&')}"` : word
}

/** Every address with every port, as sshd would listen. */
function dumpAddresses(config: Config): string[] {
  const ports = config.all('Port').map(([port = '']) => port)
  const known = ports.length === 0 ? ['22'] : ports
  const given = config.all('ListenAddress').map(([address = '']) => address)
  const addresses = given.length === 0 ? ['[::]', '0.0.0.0'] : given
  const listens = addresses.flatMap((address) => {
    const { host, port } = parseListenAddress(address) ?? { host: address }
    return (port === undefined ? known : [port]).map((each) => `${host}:${each}`)
  })
  return [...known.map((port) => `port ${port}`), ...listens.map((address) => `listenaddress ${address}`)]
}
