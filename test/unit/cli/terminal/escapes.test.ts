import fc from 'fast-check'
import {
  createEscapeParser,
  describeEscape,
  type EscapeEvent,
  escapeCharacter,
  escapeHelp,
} from '../../../../src/cli/terminal/escapes.js'
import { FUZZ_SEED } from '../../../helpers/fuzz-seed.js'

const TILDE = 0x7e

/** Everything in one line: data as it is, commands in angle brackets. */
function run(chunks: readonly Buffer[], character = TILDE): string {
  const parser = createEscapeParser(character)
  const events: EscapeEvent[] = chunks.flatMap((chunk) => parser.push(chunk))
  const text = events.map((event) => event.data?.toString('latin1') ?? `<${event.command}>`).join('')
  return text + parser.flush().toString('latin1')
}

const type = (text: string): string => run([Buffer.from(text, 'latin1')])

/** Input that is rich in what matters to the parser. */
const keys = fc
  .array(fc.constantFrom('~', '~', '\r', '\n', '.', '?', 'B', 'x', '\x1a', '\xff', 'v'), { maxLength: 40 })
  .map((characters) => Buffer.from(characters.join(''), 'latin1'))

/** The same bytes in pieces. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

describe('the escape parser', () => {
  it.each([
    ['~.', '<disconnect>'],
    ['~\x1a', '<suspend>'],
    ['~?', '<help>'],
    ['~#', '<list>'],
    ['~B', '<break>'],
    ['~R', '<rekey>'],
    ['~&', '<background>'],
    ['~C', '<command-line>'],
    ['~v', '<louder>'],
    ['~V', '<quieter>'],
  ])('reads %j at the beginning as %s', (typed, expected) => {
    expect(type(typed)).toBe(expected)
  })

  it('reads an escape behind either kind of newline, and nowhere else', () => {
    expect(type('a\r~.')).toBe('a\r<disconnect>')
    expect(type('a\n~.')).toBe('a\n<disconnect>')
    expect(type('a~.\r')).toBe('a~.\r')
  })

  it('takes twice the escape character as the character itself, and then as the middle of a line', () => {
    expect(type('~~.')).toBe('~.')
    expect(type('~~\r~.')).toBe('~\r<disconnect>')
  })

  it('sends both characters when the second one asks for nothing', () => {
    expect(type('~x~.')).toBe('~x~.')
    expect(type('~\r~?')).toBe('~\r<help>')
  })

  it('reads one command directly behind another', () => {
    expect(type('~?~.')).toBe('<help><disconnect>')
  })

  it('keeps the order of keys and commands', () => {
    expect(type('ls\r~Becho\r~.')).toBe('ls\r<break>echo\r<disconnect>')
  })

  it('gives back an escape character that the input ends with', () => {
    expect(type('a\r~')).toBe('a\r~')
  })

  it('knows other escape characters', () => {
    expect(run([Buffer.from('~.\r\x1d.')], 0x1d)).toBe('~.\r<disconnect>')
  })

  it('passes bytes without the escape character on as they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 8 }), (bytes, at) => {
        const input = Buffer.from(bytes.filter((byte) => byte !== TILDE))
        expect(run(cut(input, at))).toBe(input.toString('latin1'))
      }),
      { numRuns: 1_000, seed: FUZZ_SEED },
    )
  })

  it('passes everything on that is not behind a newline', () => {
    fc.assert(
      fc.property(keys, (bytes) => {
        const input = Buffer.from(`a${bytes.toString('latin1').replaceAll(/[\r\n]/g, '')}`, 'latin1')
        expect(run([input])).toBe(input.toString('latin1'))
      }),
      { numRuns: 1_000, seed: FUZZ_SEED },
    )
  })

  it('gives the same however its input is cut', () => {
    fc.assert(
      fc.property(keys, fc.array(fc.nat(), { maxLength: 12 }), (bytes, at) => {
        expect(run(cut(bytes, at))).toBe(run([bytes]))
      }),
      { numRuns: 2_000, seed: FUZZ_SEED },
    )
  })
})

describe('the escape character', () => {
  it.each([
    ['~', 0x7e],
    ['%', 0x25],
    ['^]', 0x1d],
    ['^a', 0x01],
    ['^?', 0x7f],
    ['none', undefined],
    ['', false],
    ['ab', false],
    ['ä', false],
    ['\n', false],
  ])('%j is %s', (text, expected) => {
    expect(escapeCharacter(text)).toBe(expected)
  })

  it('is shown as it is typed', () => {
    expect([0x7e, 0x1d, 0x7f].map(describeEscape)).toEqual(['~', '^]', '^?'])
    expect(escapeHelp(0x1d)).toContain(' ^].   - end the session')
  })
})
