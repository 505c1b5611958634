/** What the character behind an escape character asks for. */
export type EscapeCommand =
  | 'disconnect'
  | 'suspend'
  | 'help'
  | 'list'
  | 'break'
  | 'rekey'
  | 'background'
  | 'command-line'
  | 'louder'
  | 'quieter'

export type EscapeEvent =
  | { data: Buffer; command?: undefined }
  /** And what is behind it in the chunk, as it came. */
  | { data?: undefined; command: EscapeCommand; rest: Buffer }

export interface EscapeParser {
  /** What a chunk of input means, in order. Data events may share memory with the chunk. */
  push(chunk: Buffer): EscapeEvent[]
  /** What comes next is as behind a newline, whatever came before. */
  startLine(): void
  /** The end of the input: an escape character that still waits for its command was meant as itself. */
  flush(): Buffer
}

/** The commands of ssh(1), ESCAPE CHARACTERS. */
const COMMANDS: ReadonlyMap<string, EscapeCommand> = new Map([
  ['.', 'disconnect'],
  ['\x1a', 'suspend'],
  ['?', 'help'],
  ['#', 'list'],
  ['B', 'break'],
  ['R', 'rekey'],
  ['&', 'background'],
  ['C', 'command-line'],
  ['v', 'louder'],
  ['V', 'quieter'],
])

/**
 * Finds the escapes in what a person types, as OpenSSH's process_escapes() does: the escape character counts at the
 * beginning and behind a newline, twice it stands for itself, and before any other character both are sent.
 */
export function createEscapeParser(character: number): EscapeParser {
  let atLineStart = true
  let pending = false

  function push(chunk: Buffer): EscapeEvent[] {
    if (!pending && !chunk.includes(character)) {
      if (chunk.length > 0) atLineStart = isNewline(chunk[chunk.length - 1])
      return chunk.length > 0 ? [{ data: chunk }] : []
    }
    const events: EscapeEvent[] = []
    let bytes: number[] = []
    const take = (): void => {
      if (bytes.length > 0) events.push({ data: Buffer.from(bytes) })
      bytes = []
    }
    for (const [index, byte] of chunk.entries()) {
      if (pending) {
        pending = false
        const command = byte === character ? undefined : COMMANDS.get(String.fromCharCode(byte))
        if (command !== undefined) {
          // Still at the start of a line: one command may follow another.
          take()
          events.push({ command, rest: chunk.subarray(index + 1) })
          continue
        }
        if (byte !== character) bytes.push(character)
      } else if (atLineStart && byte === character) {
        pending = true
        continue
      }
      atLineStart = isNewline(byte)
      bytes.push(byte)
    }
    take()
    return events
  }

  function flush(): Buffer {
    const left = pending ? Buffer.from([character]) : Buffer.alloc(0)
    pending = false
    return left
  }

  function startLine(): void {
    atLineStart = true
    pending = false
  }

  return { push, startLine, flush }
}

function isNewline(byte: number | undefined): boolean {
  return byte === 0x0d || byte === 0x0a
}

/**
 * The byte of an escape character as -e takes it: a single character, '^' and a letter for a control character, or
 * 'none'.
 * @returns undefined for 'none'; false for what is neither
 */
export function escapeCharacter(text: string): number | undefined | false {
  if (text === 'none') return undefined
  const control = /^\^([@-_a-z?])$/.exec(text)?.[1]
  if (control !== undefined) return control === '?' ? 0x7f : control.charCodeAt(0) & 0x1f
  return /^[\x21-\x7e]$/.test(text) ? text.charCodeAt(0) : false
}

/** An escape character for people: '^]' for a control character. */
export function describeEscape(character: number): string {
  if (character === 0x7f) return '^?'
  return character < 0x20 ? `^${String.fromCharCode(character + 0x40)}` : String.fromCharCode(character)
}

/** The text of ~?. */
export function escapeHelp(character: number): string {
  const e = describeEscape(character)
  return [
    `${e}?`,
    'Supported escape sequences:',
    ` ${e}.   - end the session`,
    ` ${e}^Z  - suspend sshjob`,
    ` ${e}#   - list the sessions and forwardings of this connection`,
    ` ${e}C   - open a command line, for forwardings`,
    ` ${e}B   - send a BREAK to the terminal`,
    ` ${e}R   - ask for new keys`,
    ` ${e}V/v - say less/more about the connection`,
    ` ${e}?   - this message`,
    ` ${e}${e}   - send the escape character by typing it twice`,
    '(Escapes are recognised only right after a newline.)',
  ].join('\n')
}
