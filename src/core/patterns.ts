/** ssh_config(5) PATTERNS: '*' for any characters, '?' for exactly one. */
export function matchesPattern(text: string, pattern: string): boolean {
  // Not by a regular expression: one with many stars takes for ever on a text that nearly fits.
  let at = 0
  let inPattern = 0
  let star = -1
  let starAt = 0
  while (at < text.length) {
    const character = pattern[inPattern]
    if (character === '*') {
      star = inPattern++
      starAt = at
    } else if (character === '?' || (character !== undefined && character === text[at])) {
      inPattern++
      at++
    } else if (star >= 0) {
      inPattern = star + 1
      at = ++starAt
    } else return false
  }
  while (pattern[inPattern] === '*') inPattern++
  return inPattern === pattern.length
}

/** Whether the text fits a list: 'no' where a negated pattern ('!…') fits, whatever else does. */
export function matchesList(
  text: string,
  patterns: readonly string[],
  matches: (text: string, pattern: string) => boolean = matchesPattern,
): 'yes' | 'no' | 'none' {
  let result: 'yes' | 'none' = 'none'
  for (const pattern of patterns) {
    const negated = pattern.startsWith('!')
    if (!matches(text, negated ? pattern.slice(1) : pattern)) continue
    if (negated) return 'no'
    result = 'yes'
  }
  return result
}

export function splitList(text: string): string[] {
  return text.split(',').filter((pattern) => pattern !== '')
}
