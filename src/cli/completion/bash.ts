import type { Completion } from './candidates.js'

/** The last word of a command line, as bash(1) has read it so far. */
interface LastWord {
  /** What it stands for, without its quotes. */
  value: string
  /** A quote that is open. */
  quote: '"' | "'" | undefined
}

/**
 * The words of a simple command up to the cursor, without their quotes: bash(1), QUOTING. What would be expanded, such
 * as a variable, stays as it is.
 */
export function splitBashWords(line: string): { words: string[]; last: LastWord } {
  const words: string[] = []
  let value = ''
  let quote: LastWord['quote']
  let begun = false
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at)
    if (quote === "'") {
      if (character === quote) quote = undefined
      else value += character
    } else if (character === '\\' && (quote === undefined || /["$`\\]/.test(line.charAt(at + 1)))) {
      at += 1
      value += line.charAt(at)
      begun = true
    } else if (character === quote) quote = undefined
    else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character
      begun = true
    } else if (quote === undefined && /\s/.test(character)) {
      if (begun) words.push(value)
      value = ''
      begun = false
    } else {
      value += character
      begun = true
    }
  }
  return { words: [...words, value], last: { value, quote } }
}

/**
 * What the script gives to bash, a line each: how to take the words, and the words. bash replaces what is behind the
 * last of COMP_WORDBREAKS, a colon for example, or behind an open quote.
 * @param line the command line up to the cursor
 * @param replaced the part of it that bash puts a word in the place of
 */
export function forBash(completion: Completion, line: string, replaced: string): string {
  if (completion.kind !== 'words') return `${completion.kind}\n`
  const before = splitBashWords(line.endsWith(replaced) ? line.slice(0, line.length - replaced.length) : line)
  const { value: typed, quote } = before.last
  const values = completion.candidates
    .map(({ value }) => value)
    .filter((value) => value.startsWith(typed))
    .map((value) => value.slice(typed.length))
  const [only, another] = values
  if (only === undefined) return 'words\n'
  // bash quotes what several words have in common itself, and must: it may end in the middle of an escape.
  // It shows a folder here by a '/' of its own, which would be a second one.
  if (another !== undefined)
    return lines(
      'several',
      values.map((value) => value.replace(/\/$/, '')),
    )
  const goesOn = /[/:=]$/.test(only)
  // Of one word, bash would close the quote, and a path could not be gone on with.
  if (quote !== undefined && goesOn) return lines('several', [only, `${only} `])
  return lines(goesOn ? 'unfinished' : 'words', [quoteForBash(only, quote)])
}

const lines = (...[kind, values]: [kind: string, values: readonly string[]]): string =>
  [kind, ...values].map((line) => `${line}\n`).join('')

function quoteForBash(text: string, quote: LastWord['quote']): string {
  if (quote === "'") return text.replaceAll("'", "'\\''")
  // Between double quotes, nothing protects a '!' from the expansion of history and goes away itself.
  if (quote === '"') return text.replace(/["$`\\]/g, '\\$&').replaceAll('!', `"'!'"`)
  return text.replace(/[^\w@%+=:,./~-]|^~/gu, '\\$&')
}
