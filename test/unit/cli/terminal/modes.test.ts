import { parseModes, parseSize } from '../../../../src/cli/terminal/modes.js'

const GNU = `speed 38400 baud; rows 30; columns 100; line = 0;
intr = <undef>; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = ;;
eol2 = M-^?; swtch = <undef>; start = ^Q; stop = ^S; susp = ^Z; rprnt = ^R;
werase = ^W; lnext = ^V; discard = ^O; min = 1; time = 0;
-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts
-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff
-iuclc -ixany -imaxbel iutf8
opost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0
isig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt
echoctl echoke -flusho -extproc
`

describe('terminal modes read from stty', () => {
  const modes = new Map(parseModes(GNU))

  it.each([
    ['an undefined character', 1, 255],
    ['a control character', 2, 0x1c],
    ['delete', 3, 0x7f],
    ['a semicolon as a character', 6, 0x3b],
    ['a character with its eighth bit', 7, 0xff],
    ['discard', 18, 0x0f],
    ['a flag that is on', 36, 1],
    ['a flag that is off', 39, 0],
    ['UTF-8 input', 42, 1],
    ['echo', 53, 1],
    ['the last line', 61, 1],
    ['eight bits', 91, 1],
    ['the input speed', 128, 38_400],
    ['the output speed', 129, 38_400],
  ])('%s', (_what, opcode, value) => {
    expect(modes.get(opcode)).toBe(value)
  })

  it('has each opcode once, and none that was not mentioned', () => {
    const opcodes = parseModes(GNU).map(([opcode]) => opcode)
    expect(new Set(opcodes).size).toBe(opcodes.length)
    expect(opcodes).not.toContain(90)
    expect(opcodes).not.toContain(17)
  })

  it("reads busybox' name of discard", () => {
    expect(parseModes('lnext = ^V; flush = ^O; min = 1;')).toContainEqual([18, 0x0f])
  })

  it('finds nothing where stty said nothing', () => {
    expect(parseModes('')).toEqual([])
  })
})

describe('the size read from stty', () => {
  it('is that of the terminal', () => {
    expect(parseSize(GNU)).toEqual({ columns: 100, rows: 30 })
  })

  it('is unknown for a terminal without one', () => {
    expect(parseSize('speed 9600 baud; rows 0; columns 0;')).toBeUndefined()
  })
})
