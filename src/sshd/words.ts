/**
 * Splits a line into words as sshd_config(5) has it: separated by white space, in double or single quotes where they
 * hold some, `\"`, `\'`, `\\` and, outside of quotes, `\ ` for the character itself; a `#` that begins a word begins
 * a comment. Undefined where a quote is not closed.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (at < line.length && isSpace(line[at])) at++
    if (at >= line.length || line[at] === '#') return words
    const word = readWord(line, at)
    if (word === undefined) return undefined
    words.push(word.text)
    at = word.end
  }
}

function readWord(line: string, start: number): { text: string; end: number } | undefined {
  let text = ''
  let quote = ''
  let at = start
  for (; at < line.length; at++) {
    const character = line.charAt(at)
    const next = line.charAt(at + 1)
    if (character === '\\' && (['\\', '"', "'"].includes(next) || (quote === '' && next === ' '))) {
      text += next
      at++
    } else if (quote === '' && isSpace(character)) break
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (quote !== '' && character === quote) quote = ''
    else text += character
  }
  return quote === '' ? { text, end: at } : undefined
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\f'
}

/** A keyword, and what stands behind it: 'Key value', 'Key=value', 'Key = value'. Undefined for an empty line. */
export function splitKeyword(line: string): { keyword: string; rest: string } | undefined {
  const trimmed = line.trim()
  if (trimmed === '' || trimmed.startsWith('#')) return undefined
  // A quoted keyword is one too, and only one '=' belongs to the form.
  const found = /^"?(?<keyword>[^\s="]+)"?(?:\s*=\s*|\s+|$)(?<rest>.*)$/su.exec(trimmed)
  const keyword = found?.groups?.keyword
  return keyword === undefined ? { keyword: trimmed, rest: '' } : { keyword, rest: found?.groups?.rest ?? '' }
}
