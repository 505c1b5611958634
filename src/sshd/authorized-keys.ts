import { parseBlob, typeOfBlob } from '../ssh/keys.js'
import { type KeyOptions, parseKeyOptions } from './key-options.js'

/** One line of a file of keys that may be used. */
export interface AuthorizedKey {
  blob: Buffer
  options: KeyOptions
  /** From 1 on. */
  line: number
}

export interface AuthorizedKeys {
  keys: readonly AuthorizedKey[]
  /** Why lines are not used: their numbers, and a sentence. */
  unusable: readonly { line: number; reason: string }[]
}

/**
 * Reads a file of keys: sshd(8), AUTHORIZED_KEYS FILE FORMAT. A line with an option that is not known, or that can't
 * be honoured, lets nobody in.
 */
export function parseAuthorizedKeys(text: string): AuthorizedKeys {
  const keys: AuthorizedKey[] = []
  const unusable: { line: number; reason: string }[] = []
  for (const [index, whole] of text.split('\n').entries()) {
    const line = whole.trim()
    if (line === '' || line.startsWith('#')) continue
    const found = parseLine(line)
    if (typeof found === 'string') unusable.push({ line: index + 1, reason: found })
    else keys.push({ ...found, line: index + 1 })
  }
  return { keys, unusable }
}

function parseLine(line: string): { blob: Buffer; options: KeyOptions } | string {
  const plain = parseKey(line)
  if (plain !== undefined) return withOptions('', plain)
  const end = endOfOptions(line)
  const key = parseKey(line.slice(end).trim())
  return key === undefined ? 'there is no key in it that is known here' : withOptions(line.slice(0, end), key)
}

function withOptions(text: string, blob: Buffer): { blob: Buffer; options: KeyOptions } | string {
  const options = parseKeyOptions(text)
  return typeof options === 'string' ? options : { blob, options }
}

/** The first white space that is not in quotes. */
function endOfOptions(line: string): number {
  let quoted = false
  for (let at = 0; at < line.length; at++) {
    const character = line[at]
    if (character === '\\' && line[at + 1] === '"') at++
    else if (character === '"') quoted = !quoted
    else if (!quoted && (character === ' ' || character === '\t')) return at
  }
  return line.length
}

function parseKey(text: string): Buffer | undefined {
  const found = /^(?<type>[\w@.-]+)[ \t]+(?<base64>[A-Za-z0-9+/]+={0,2})(?:[ \t]|$)/.exec(text)?.groups
  if (found?.base64 === undefined) return undefined
  const blob = Buffer.from(found.base64, 'base64')
  return typeOfBlob(blob) === found.type && parseBlob(blob) !== undefined ? blob : undefined
}
