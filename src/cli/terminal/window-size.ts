import { spawn } from 'node:child_process'
import type { TerminalSize } from '../../job/job.js'

/** A program that takes longer is ended; the size goes without pixels then. */
const ASK_TIMEOUT_MS = 2_000

/**
 * Node.js knows columns and rows, not pixels, which programs that draw pictures ask for: TIOCGWINSZ, ioctl_tty(2).
 * Perl is part of every Debian; its number of the request is that of these processors only.
 */
const ASKERS: readonly (readonly [program: string, ...args: string[]])[] = [
  ...(['x64', 'arm64', 'arm', 'ia32', 'riscv64'].includes(process.arch)
    ? [
        [
          'perl',
          '-e',
          'ioctl(STDIN, 0x5413, $size = "\\0" x 8) and print join " ", unpack("S4", $size)',
        ] as const,
      ]
    : []),
  [
    'python3',
    '-Sc',
    'import fcntl, struct, termios; print(*struct.unpack("4H", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))))',
  ],
]

/** The size of our terminal in characters, from whichever of our outputs is one; undefined: neither is. */
export function characterSize(): Pick<TerminalSize, 'columns' | 'rows'> | undefined {
  const terminal = [process.stdout, process.stderr].find((stream) => stream.isTTY)
  return terminal !== undefined && terminal.columns > 0 && terminal.rows > 0
    ? { columns: terminal.columns, rows: terminal.rows }
    : undefined
}

/** The size of the terminal on our standard input, pixels included; undefined where nobody can tell. */
export async function fullSize(): Promise<TerminalSize | undefined> {
  for (const [program, ...args] of ASKERS) {
    const [rows = 0, columns = 0, width = 0, height = 0] = (await ask(program, args)).split(' ').map(Number)
    if (rows > 0 && columns > 0) return { columns, rows, width, height }
  }
  return undefined
}

function ask(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'ignore'], timeout: ASK_TIMEOUT_MS })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    // The program is missing, or says nothing: the next one is asked.
    child.once('error', () => resolve(''))
    child.once('close', () => resolve(text))
  })
}
