import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { messageOf, SshjobError } from '../core/errors.js'
import { SSHD_CONFIG_MAX_BYTES, SSHD_INCLUDE_DEPTH } from '../core/limits.js'
import { matchesPattern } from '../core/patterns.js'
import { checkValue } from './check-value.js'
import { findKeyword, type Keyword } from './keywords.js'
import { type Match, parseMatch } from './match.js'
import { readAtMost } from './read-at-most.js'
import { splitKeyword, splitWords } from './words.js'

/** One line that says something, checked. */
export interface Directive {
  keyword: Keyword
  /** What stands behind it, normalised. */
  values: readonly string[]
  /** The Match blocks that it stands in, of each file that includes the next. */
  conditions: readonly Match[]
  /** 'FILE line 3', for sentences. */
  place: string
}

export interface ReadConfig {
  directives: readonly Directive[]
  /** What whoever wrote it should know, and that stops nothing. */
  warnings: readonly string[]
}

/**
 * Reads a file of sshd_config(5), and those that it includes. `first` are lines that count before the file's.
 * @throws SshjobError 'usage' with file and line, for what sshd would refuse as well: an unknown keyword, a bad value
 */
export function readConfig(file: string, first: readonly string[] = []): ReadConfig {
  const reader = new ConfigReader()
  reader.readLines(first, 'the command line', undefined)
  reader.readFile(file)
  return { directives: reader.directives, warnings: reader.warnings }
}

/** As readConfig(), from a text. */
export function parseConfig(text: string, name: string): ReadConfig {
  const reader = new ConfigReader()
  reader.readLines(text.split('\n'), `${name} line`, name)
  return { directives: reader.directives, warnings: reader.warnings }
}

class ConfigReader {
  readonly directives: Directive[] = []
  readonly warnings: string[] = []
  /** The Match that is in force, of each file from the first to the one that is being read. */
  readonly #matches: (Match | undefined)[] = []
  #bytes = 0

  readFile(file: string): void {
    this.readLines(this.#load(file).split('\n'), `${file} line`, file)
  }

  /** @param file undefined for what comes in no file, where lines have no numbers */
  readLines(lines: readonly string[], place: string, file: string | undefined): void {
    this.#matches.push(undefined)
    for (const [index, line] of lines.entries()) {
      const where = file === undefined ? place : `${place} ${index + 1}`
      const problem = this.#readLine(line, where)
      if (problem !== undefined) throw new SshjobError('usage', `${where}: ${problem}.`)
    }
    this.#matches.pop()
  }

  /** @returns the sentence that says what is wrong, where something is */
  #readLine(line: string, place: string): string | undefined {
    const split = splitKeyword(line)
    if (split === undefined) return undefined
    const { keyword: name, rest } = split
    if (line.includes('\0')) return 'there is a zero byte in it'
    const keyword = findKeyword(name)
    if (keyword === undefined) return `there is no keyword '${name}'`
    if (keyword === 'deprecated') {
      this.warnings.push(`${place}: ${name} has no effect any more`)
      return undefined
    }
    const words = splitWords(rest)
    if (words === undefined) return `a quote behind ${keyword.name} is not closed`
    if (keyword.name === 'Match') return this.#enterMatch(words)
    const conditions = this.#matches.filter((match) => match !== undefined)
    if (!keyword.match && conditions.length > 0) return `${keyword.name} may not stand below Match`
    if (keyword.name === 'Include') return this.#include(words)
    const values = checkValue(keyword, words, rest)
    if (typeof values === 'string') return values
    this.directives.push({ keyword, values, conditions, place })
    return undefined
  }

  #enterMatch(words: readonly string[]): string | undefined {
    const match = parseMatch(words)
    if (typeof match === 'string') return match
    this.#matches[this.#matches.length - 1] = match
    return undefined
  }

  #include(patterns: readonly string[]): string | undefined {
    if (patterns.length === 0) return 'Include needs the name of a file'
    if (this.#matches.length > SSHD_INCLUDE_DEPTH) return 'files include each other too deeply'
    for (const pattern of patterns) {
      for (const file of findFiles(path.resolve('/etc/ssh', pattern))) this.readFile(file)
    }
    return undefined
  }

  #load(file: string): string {
    try {
      const bytes = readAtMost(file, SSHD_CONFIG_MAX_BYTES + 1 - this.#bytes)
      this.#bytes += bytes.length
      if (this.#bytes > SSHD_CONFIG_MAX_BYTES) {
        throw new SshjobError('usage', `The configuration is larger than ${SSHD_CONFIG_MAX_BYTES} bytes.`)
      }
      // Names of files need not be UTF-8, but these come from people.
      return bytes.toString('utf8')
    } catch (error) {
      if (error instanceof SshjobError) throw error
      const message = `The configuration ${file} can't be read: ${messageOf(error)}.`
      throw new SshjobError('usage', message, { cause: error })
    }
  }
}

/** glob(7) over the parts of a path, in the order of their names; what is not there is no error, as in sshd. */
function findFiles(pattern: string): string[] {
  let found = ['/']
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    if (!/[*?]/.test(part)) found = found.map((folder) => path.join(folder, part))
    else found = found.flatMap((folder) => namesIn(folder, part).map((name) => path.join(folder, name)))
  }
  return /[*?]/.test(pattern) ? found : found.filter((file) => existsSync(file))
}

function namesIn(folder: string, pattern: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => !name.startsWith('.') || pattern.startsWith('.'))
    return names.filter((name) => matchesPattern(name, pattern)).sort()
  } catch {
    // A folder that is not there has no files in it.
    return []
  }
}
