import type { TerminalModes } from './job.js'

/**
 * RFC 4254 §8's opcodes as words of stty(1), for what Linux has. Left out because no pseudo-terminal there does it:
 * VDSUSP, VFLUSH, VSTATUS, VDISCARD, PENDIN, and 90 to 93, size and parity of characters, which the kernel's
 * pty driver overrides (pty_set_termios).
 */
const CHARACTERS: ReadonlyMap<number, string> = new Map([
  [1, 'intr'],
  [2, 'quit'],
  [3, 'erase'],
  [4, 'kill'],
  [5, 'eof'],
  [6, 'eol'],
  [7, 'eol2'],
  [8, 'start'],
  [9, 'stop'],
  [10, 'susp'],
  [12, 'rprnt'],
  [13, 'werase'],
  [14, 'lnext'],
  [16, 'swtch'],
])

const FLAGS: ReadonlyMap<number, string> = new Map([
  [30, 'ignpar'],
  [31, 'parmrk'],
  [32, 'inpck'],
  [33, 'istrip'],
  [34, 'inlcr'],
  [35, 'igncr'],
  [36, 'icrnl'],
  [37, 'iuclc'],
  [38, 'ixon'],
  [39, 'ixany'],
  [40, 'ixoff'],
  [41, 'imaxbel'],
  [42, 'iutf8'],
  [50, 'isig'],
  [51, 'icanon'],
  [52, 'xcase'],
  [53, 'echo'],
  [54, 'echoe'],
  [55, 'echok'],
  [56, 'echonl'],
  [57, 'noflsh'],
  [58, 'tostop'],
  [59, 'iexten'],
  [60, 'echoctl'],
  [61, 'echoke'],
  [70, 'opost'],
  [71, 'olcuc'],
  [72, 'onlcr'],
  [73, 'ocrnl'],
  [74, 'onocr'],
  [75, 'onlret'],
])

const TTY_OP_ISPEED = 128
const TTY_OP_OSPEED = 129
/** The speeds that termios(3) has a constant for. 0 is left out: it hangs the line up. */
const SPEEDS = [
  ...[
    50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400,
  ],
  ...[460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000],
]
/** RFC 4254 §8: this character means that there is none. Linux's own mark for that is 0 (_POSIX_VDISABLE). */
const DISABLED = 255

/** As both GNU's and busybox's stty read it: ^C, a character by itself, or a number of three digits. */
function spellCharacter(value: number): string {
  if (value === DISABLED || value === 0) return 'undef'
  if (value === 127) return '^?'
  if (value > 127) return String(value)
  return value < 32 ? `^${String.fromCharCode(value + 64)}` : String.fromCharCode(value)
}

/** The words for stty(1) that set these modes. Opcodes and values that Linux doesn't know are left out. */
export function sttyWords(modes: TerminalModes): string[] {
  const words: string[] = []
  for (const [opcode, value] of modes) {
    const character = CHARACTERS.get(opcode)
    const flag = FLAGS.get(opcode)
    if (character !== undefined && value <= 255) {
      words.push(character, spellCharacter(value))
    } else if (flag !== undefined) {
      words.push(value === 0 ? `-${flag}` : flag)
    } else if ((opcode === TTY_OP_ISPEED || opcode === TTY_OP_OSPEED) && SPEEDS.includes(value)) {
      words.push(opcode === TTY_OP_ISPEED ? 'ispeed' : 'ospeed', String(value))
    }
  }
  return words
}
