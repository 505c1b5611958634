import { closeSync, openSync } from 'node:fs'
import { openTerminal } from '../../../src/process/terminal.js'
import { readModes, readSize, setModes, setSize, type TerminalModes } from '../../../src/process/termios.js'
import { runIn, TERMINAL, testJob } from '../../helpers/job-session.js'

/** What OpenSSH's client sends from an ordinary terminal: characters, flags, speeds. */
const ORDINARY: TerminalModes = [
  ...[
    [128, 38400],
    [129, 38400],
    [1, 3],
    [2, 28],
    [3, 127],
    [4, 21],
    [5, 4],
    [6, 255],
    [7, 255],
    [8, 17],
    [9, 19],
  ],
  ...[
    [10, 26],
    [12, 18],
    [13, 23],
    [14, 22],
    [18, 15],
    [30, 0],
    [31, 0],
    [32, 0],
    [33, 0],
    [34, 0],
    [35, 0],
  ],
  ...[
    [36, 1],
    [37, 0],
    [38, 1],
    [39, 0],
    [40, 0],
    [41, 0],
    [42, 1],
    [50, 1],
    [51, 1],
    [52, 0],
    [53, 1],
    [54, 1],
  ],
  ...[
    [55, 1],
    [56, 0],
    [57, 0],
    [58, 0],
    [59, 1],
    [60, 1],
    [61, 1],
    [62, 0],
    [70, 1],
    [71, 0],
    [72, 1],
    [73, 0],
  ],
  ...[
    [74, 0],
    [75, 0],
    [90, 1],
    [91, 1],
    [92, 0],
    [93, 0],
    [99, 7],
    [159, 0xffffffff],
  ],
].map(([opcode = 0, value = 0]) => [opcode, value] as const)

const words = async (modes: TerminalModes): Promise<string[]> => {
  const { stdout } = await runIn(testJob(), 'stty -a </dev/tty', { terminal: { ...TERMINAL, modes } })
  return stdout
    .split(/[;\r\n]+/)
    .flatMap((part) => (part.includes('=') ? [part.trim()] : part.trim().split(' ')))
}

describe('terminal modes', () => {
  it('are the usual ones of the kernel without any', async () => {
    const set = await words([])
    for (const word of [
      'intr = ^C',
      'eol = <undef>',
      '-iutf8',
      '-ixany',
      '-imaxbel',
      '-brkint',
      'icanon',
      'echo',
    ]) {
      expect(set).toContain(word)
    }
  })

  it('are what an ordinary client asks for', async () => {
    const set = await words(ORDINARY)
    for (const word of [
      'intr = ^C',
      'erase = ^?',
      'eol = <undef>',
      'iutf8',
      '-ixany',
      'icrnl',
      'opost',
      'echoke',
    ]) {
      expect(set).toContain(word)
    }
  })

  it('are set before the program starts, every kind of them', async () => {
    const set = await words([
      ...([
        [1, 65],
        [2, 0],
        [3, 8],
        [4, 255],
        [5, 254],
        [8, 32],
      ] as const),
      ...([
        [53, 0],
        [51, 0],
        [50, 0],
        [36, 0],
        [39, 1],
        [42, 1],
        [70, 0],
        [128, 9600],
        [129, 9600],
      ] as const),
    ])
    const expected = ['intr = A', 'quit = <undef>', 'erase = ^H', 'kill = <undef>', 'eof = M-~', 'start =']
    for (const word of [...expected, '-echo', '-icanon', '-isig', '-icrnl', 'ixany', 'iutf8', '-opost']) {
      expect(set).toContain(word)
    }
    expect(set.join(' ')).toContain('speed 9600 baud')
  })

  it('of the characters that no pseudo-terminal has are 8 bits, whatever is asked for', async () => {
    expect(
      await words([
        [90, 1],
        [91, 0],
      ]),
    ).toContain('cs8')
  })
})

describe('the modes of an open terminal', () => {
  const inTerminal = (use: (slave: number) => void): void => {
    const terminal = openTerminal(TERMINAL)
    const slave = openSync(terminal.name, 'r+')
    try {
      use(slave)
    } finally {
      closeSync(slave)
      terminal.close()
    }
  }

  it('are read as they were set, each once', () => {
    inTerminal((slave) => {
      const before = readModes(slave)
      const opcodes = before.map(([opcode]) => opcode)
      expect(new Set(opcodes).size).toBe(opcodes.length)
      // All that OpenSSH's client sends, and Linux has; VSWTC is not among it.
      const known = ORDINARY.filter(([opcode]) => ![99, 159].includes(opcode))
      expect(known.filter(([opcode]) => !opcodes.includes(opcode))).toEqual([])
      setModes(slave, ORDINARY)
      expect(new Map(readModes(slave))).toEqual(new Map([...known, [16, 255]]))
      setModes(slave, before)
      expect(readModes(slave)).toEqual(before)
    })
  })

  it.each([50, 9600, 38_400, 57_600, 230_400, 4_000_000])('have the speed %d', (speed) => {
    inTerminal((slave) => {
      setModes(slave, [[129, speed]])
      expect(new Map(readModes(slave)).get(128)).toBe(speed)
    })
  })

  it('that are unknown, or make no sense, are left out', () => {
    inTerminal((slave) => {
      const before = readModes(slave)
      setModes(
        slave,
        [
          [1, 300],
          [128, 0],
          [129, 31337],
          [0, 1],
          [15, 1],
          [255, 1],
        ].map(([code = 0, value = 0]) => [code, value]),
      )
      expect(readModes(slave)).toEqual(before)
    })
  })

  it('are none, and the size as well, of what is no terminal', () => {
    const nothing = openSync('/dev/null', 'r+')
    setModes(nothing, ORDINARY)
    setSize(nothing, TERMINAL)
    expect(readModes(nothing)).toEqual([])
    expect(readSize(nothing)).toBeUndefined()
    closeSync(nothing)
  })

  it('go with its size, pixels included, of which none is as good as no terminal', () => {
    inTerminal((slave) => {
      const size = { columns: 132, rows: 43, width: 1320, height: 65_535 }
      setSize(slave, { ...size, height: 1e9 })
      expect(readSize(slave)).toEqual(size)
      setSize(slave, { columns: 0, rows: 0, width: Number.NaN, height: -1 })
      expect(readSize(slave)).toBeUndefined()
    })
  })
})
