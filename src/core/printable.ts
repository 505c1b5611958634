/**
 * What would drive a terminal or turn text around in place of being seen: control characters, C1 among them
 * (ECMA-48: U+009B begins a sequence as ESC [ does), Unicode's bidirectional controls (UAX #9), and its line ends; and
 * what can't be seen at all, with which two names look the same: zero-width spaces and tags.
 */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u200b\u2060\ufeff\u{e0000}-\u{e007f}]/gu
const SPACES = /[\t\n\r]+/g

/**
 * Text of others - of a job, a client, a server, a file's name - for a line on a screen or in a log: line ends and tabs
 * become a space, what is not printable '?', as in ls(1).
 */
export function printable(text: string): string {
  return text.replace(SPACES, ' ').replace(UNPRINTABLE, '?')
}

/** JSON that says the same and can be looked at: JSON.stringify() leaves C1 and what turns text around as they are. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE, (character) => (character === '\n' ? character : escapeUnits(character)))
}

/** By its one or two units of UTF-16, RFC 8259 §7. */
function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
