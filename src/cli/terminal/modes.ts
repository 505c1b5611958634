import type { TerminalModes, TerminalSize } from '../../job/job.js'

/** Opcodes of RFC 4254 §8 whose argument is a character, by the name that stty(1) gives them. */
const CHARACTERS: ReadonlyMap<string, number> = new Map([
  ['intr', 1],
  ['quit', 2],
  ['erase', 3],
  ['kill', 4],
  ['eof', 5],
  ['eol', 6],
  ['eol2', 7],
  ['start', 8],
  ['stop', 9],
  ['susp', 10],
  ['rprnt', 12],
  ['werase', 13],
  ['lnext', 14],
  ['swtch', 16],
  ['flush', 18],
  ['discard', 18],
])

/** Opcodes whose argument is 0 or 1. IUTF8 is of RFC 8160. */
const FLAGS: ReadonlyMap<string, number> = new Map([
  ['ignpar', 30],
  ['parmrk', 31],
  ['inpck', 32],
  ['istrip', 33],
  ['inlcr', 34],
  ['igncr', 35],
  ['icrnl', 36],
  ['iuclc', 37],
  ['ixon', 38],
  ['ixany', 39],
  ['ixoff', 40],
  ['imaxbel', 41],
  ['iutf8', 42],
  ['isig', 50],
  ['icanon', 51],
  ['xcase', 52],
  ['echo', 53],
  ['echoe', 54],
  ['echok', 55],
  ['echonl', 56],
  ['noflsh', 57],
  ['tostop', 58],
  ['iexten', 59],
  ['echoctl', 60],
  ['echoke', 61],
  ['pendin', 62],
  ['opost', 70],
  ['olcuc', 71],
  ['onlcr', 72],
  ['ocrnl', 73],
  ['onocr', 74],
  ['onlret', 75],
  ['cs7', 90],
  ['cs8', 91],
  ['parenb', 92],
  ['parodd', 93],
])

const INPUT_SPEED = 128
const OUTPUT_SPEED = 129
/** The argument of a character that is switched off. */
const UNDEFINED_CHARACTER = 255

/** Reads what `stty -a` says of a terminal. What it doesn't say, or says in other words, is left out. */
export function parseModes(stty: string): TerminalModes {
  const modes = new Map<number, number>()
  const speed = Number(/\bspeed (\d+) baud/.exec(stty)?.[1])
  if (Number.isSafeInteger(speed) && speed > 0) modes.set(INPUT_SPEED, speed).set(OUTPUT_SPEED, speed)

  for (const [, name = '', text = ''] of stty.matchAll(/\b([a-z]\w*) = (<undef>|[^\s;]+|;)/g)) {
    const opcode = CHARACTERS.get(name)
    const value = parseCharacter(text)
    if (opcode !== undefined && value !== undefined) modes.set(opcode, value)
  }
  const words = stty.replaceAll(/\b\w+ = (<undef>|[^\s;]+|;);?/g, ' ').split(/[\s;]+/)
  for (const word of words) {
    const on = !word.startsWith('-')
    const opcode = FLAGS.get(on ? word : word.slice(1))
    if (opcode !== undefined) modes.set(opcode, on ? 1 : 0)
  }
  return [...modes]
}

/** '^C', '^?', '<undef>', 'M-^?' (the eighth bit), or the character itself. */
function parseCharacter(text: string): number | undefined {
  if (text === '<undef>' || text === 'undef') return UNDEFINED_CHARACTER
  const [, meta, caret, character = ''] = /^(M-)?(\^)?([\x20-\x7e])$/.exec(text) ?? []
  if (character === '') return undefined
  const high = meta === undefined ? 0 : 0x80
  if (caret === undefined) return high | character.charCodeAt(0)
  return high | (character === '?' ? 0x7f : character.charCodeAt(0) & 0x1f)
}

/** The size in what `stty -a` says, for terminals that are only our input. */
export function parseSize(stty: string): Pick<TerminalSize, 'columns' | 'rows'> | undefined {
  const rows = Number(/\brows (\d+)/.exec(stty)?.[1])
  const columns = Number(/\bcolumns (\d+)/.exec(stty)?.[1])
  return rows > 0 && columns > 0 ? { columns, rows } : undefined
}
