import type { Keyword } from './keywords.js'
import { parseListenAddress, parsePort } from './listening.js'
import { parseFlag, parseSize, parseTime } from './values.js'

/**
 * What stands behind a keyword, normalised.
 * @returns the sentence that says what is wrong, where something is
 */
export function checkValue(keyword: Keyword, words: readonly string[], rest: string): string[] | string {
  const { name, kind } = keyword
  const [first] = words
  if (first === undefined) return `${name} needs a value`
  if (kind === 'rest') return [rest.trim()]
  if (kind === 'any' || kind === 'words' || kind === 'more') return [...words]
  if (kind === 'subsystem') {
    const command = words.slice(1).join(' ')
    return command === '' ? `${name} needs a name and a command` : [first, command]
  }
  if (kind === 'rekey') return checkRekey(words) ?? `${name} takes a size and a time`
  if (words.length > 1) return `there is more behind ${name} than one value`
  const value = normalise(keyword, first)
  return value === undefined ? `'${first}' is no value for ${name}` : [value]
}

function normalise({ kind, values = [], default: preset }: Keyword, word: string): string | undefined {
  switch (kind) {
    case 'flag':
      return parseFlag(word)
    case 'number':
      return /^\d{1,9}$/.test(word) ? String(Number(word)) : undefined
    case 'octal':
      return /^[0-7]{1,4}$/.test(word) ? word : undefined
    case 'time': {
      if (word.toLowerCase() === 'none' && preset === 'none') return 'none'
      const seconds = parseTime(word)
      return seconds === undefined ? undefined : String(seconds)
    }
    case 'port':
      return parsePort(word)
    case 'address':
      return parseListenAddress(word) && word
    case 'choice':
      return values.find((value) => value.toLowerCase() === (parseFlag(word) ?? word.toLowerCase()))
    default:
      return word === '' ? undefined : word
  }
}

function checkRekey([size = '', time, ...more]: readonly string[]): string[] | undefined {
  const bytes = size.toLowerCase() === 'default' ? 0 : parseSize(size)
  const seconds = time === undefined || time.toLowerCase() === 'none' ? 0 : parseTime(time)
  if (more.length > 0 || bytes === undefined || seconds === undefined) return undefined
  return [String(bytes), String(seconds)]
}
