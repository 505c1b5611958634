import { libc } from './libc.js'

/** Pairs of opcode and argument, as RFC 4254 §8 encodes them on the wire. */
export type TerminalModes = readonly (readonly [opcode: number, value: number])[]

export interface TerminalSize {
  columns: number
  rows: number
  /** Pixels; 0 when not known. */
  width: number
  height: number
}

/**
 * ioctl_tty(2). The kernel's own struct termios and not that of a C library, so that one description holds for all of
 * them: four words of flags, the line discipline, and 19 characters.
 */
const TCGETS = 0x5401
const TCSETS = 0x5402
const TIOCGPGRP = 0x540f
const TIOCGWINSZ = 0x5413
const TIOCSWINSZ = 0x5414
const TERMIOS_BYTES = 36
const CHARACTERS_AT = 17
/** struct winsize has unsigned shorts. */
const SIZE_MAX = 0xffff

/** Where a mode is: in one of the words of flags, or among the characters. */
type Place = { word: number; bits: number } | { character: number }

const INPUT = 0
const OUTPUT = 4
const CONTROL = 8
const LOCAL = 12

const inWord = (word: number, flags: Record<number, number>): [number, Place][] =>
  Object.entries(flags).map(([opcode, bits]) => [Number(opcode), { word, bits }])

/** RFC 4254 §8's opcodes and termios(3)'s constants, for all modes that Linux has. IUTF8 is of RFC 8160. */
const PLACES: ReadonlyMap<number, Place> = new Map([
  // VINTR, VQUIT, VERASE, VKILL, VEOF, VEOL, VEOL2, VSTART, VSTOP, VSUSP
  ...[0, 1, 2, 3, 4, 11, 16, 8, 9, 10].map((character, at): [number, Place] => [at + 1, { character }]),
  [12, { character: 12 }], // VREPRINT
  [13, { character: 14 }], // VWERASE
  [14, { character: 15 }], // VLNEXT
  [16, { character: 7 }], // VSWTC
  [18, { character: 13 }], // VDISCARD
  // IGNPAR, PARMRK, INPCK, ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY, IXOFF, IMAXBEL, IUTF8
  ...inWord(INPUT, { 30: 0o4, 31: 0o10, 32: 0o20, 33: 0o40, 34: 0o100, 35: 0o200, 36: 0o400, 37: 0o1000 }),
  ...inWord(INPUT, { 38: 0o2000, 39: 0o4000, 40: 0o10000, 41: 0o20000, 42: 0o40000 }),
  // ISIG, ICANON, XCASE, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, IEXTEN, ECHOCTL, ECHOKE, PENDIN
  ...inWord(LOCAL, {
    50: 0o1,
    51: 0o2,
    52: 0o4,
    53: 0o10,
    54: 0o20,
    55: 0o40,
    56: 0o100,
    57: 0o200,
    58: 0o400,
  }),
  ...inWord(LOCAL, { 59: 0o100000, 60: 0o1000, 61: 0o4000, 62: 0o40000 }),
  // OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET
  ...inWord(OUTPUT, { 70: 0o1, 71: 0o2, 72: 0o4, 73: 0o10, 74: 0o20, 75: 0o40 }),
  // CS7, CS8, PARENB, PARODD
  ...inWord(CONTROL, { 90: 0o40, 91: 0o60, 92: 0o400, 93: 0o1000 }),
])

const TTY_OP_ISPEED = 128
const TTY_OP_OSPEED = 129
/** CBAUD of termios(3), and its constants: the first speed is 1, and the first of those after 38400 is CBAUDEX and 1. */
const SPEED_BITS = 0o10017
const EXTENDED = 0o10000
const SPEEDS = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400]
const EXTENDED_SPEEDS = [
  ...[0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000],
  ...[2500000, 3000000, 3500000, 4000000],
]

/** RFC 4254 §8: this character means that there is none. Linux's own mark for that is 0, _POSIX_VDISABLE. */
const DISABLED = 255

function read(descriptor: number): Buffer | undefined {
  const termios = Buffer.alloc(TERMIOS_BYTES)
  return libc().ioctl(descriptor, TCGETS, termios) === 0 ? termios : undefined
}

function setBits(termios: Buffer, word: number, bits: number, on: boolean): void {
  const before = termios.readUInt32LE(word)
  termios.writeUInt32LE((on ? before | bits : before & ~bits) >>> 0, word)
}

/** 0 hangs the line up, and is left out as other speeds without a constant are. */
function setSpeed(termios: Buffer, speed: number): void {
  const usual = SPEEDS.indexOf(speed, 1)
  const extended = EXTENDED_SPEEDS.indexOf(speed, 1)
  if (usual < 0 && extended < 0) return
  setBits(termios, CONTROL, SPEED_BITS, false)
  setBits(termios, CONTROL, usual < 0 ? EXTENDED | extended : usual, true)
}

function readSpeed(termios: Buffer): number | undefined {
  const bits = termios.readUInt32LE(CONTROL) & SPEED_BITS
  return (bits & EXTENDED) === 0 ? SPEEDS[bits] : EXTENDED_SPEEDS[bits & ~EXTENDED]
}

/** Sets these modes of a terminal. What Linux doesn't know, and values that make no sense, are left out. */
export function setModes(descriptor: number, modes: TerminalModes): void {
  const termios = modes.length === 0 ? undefined : read(descriptor)
  if (termios === undefined) return
  for (const [opcode, value] of modes) {
    const place = PLACES.get(opcode)
    if (opcode === TTY_OP_ISPEED || opcode === TTY_OP_OSPEED) setSpeed(termios, value)
    else if (place === undefined) continue
    else if ('word' in place) setBits(termios, place.word, place.bits, value !== 0)
    else if (value <= DISABLED) termios[CHARACTERS_AT + place.character] = value === DISABLED ? 0 : value
  }
  libc().ioctl(descriptor, TCSETS, termios)
}

/** The modes of a terminal, all of them; none if the descriptor is no terminal. */
export function readModes(descriptor: number): TerminalModes {
  const termios = read(descriptor)
  if (termios === undefined) return []
  const modes = [...PLACES].map(([opcode, place]): [number, number] => {
    if ('word' in place) return [opcode, (termios.readUInt32LE(place.word) & place.bits) === 0 ? 0 : 1]
    return [opcode, termios[CHARACTERS_AT + place.character] || DISABLED]
  })
  const speed = readSpeed(termios)
  const speeds =
    speed === undefined ? [] : [TTY_OP_ISPEED, TTY_OP_OSPEED].map((code) => [code, speed] as const)
  return [...speeds, ...modes]
}

/** The process group in the foreground of a terminal, given either side of it; undefined if there is none. */
export function readForeground(descriptor: number): number | undefined {
  const group = Buffer.alloc(8)
  const known = libc().ioctl(descriptor, TIOCGPGRP, group) === 0 ? group.readInt32LE(0) : 0
  return known > 0 ? known : undefined
}

const clamp = (value: number): number => Math.min(Math.max(Math.trunc(value) || 0, 0), SIZE_MAX)

/** The size as the kernel can have it. */
export function clampSize({ columns, rows, width, height }: TerminalSize): TerminalSize {
  return { columns: clamp(columns), rows: clamp(rows), width: clamp(width), height: clamp(height) }
}

/** Sets the size of a terminal; its foreground is told by WINCH if that has changed. */
export function setSize(descriptor: number, size: TerminalSize): void {
  const { columns, rows, width, height } = clampSize(size)
  const winsize = Buffer.alloc(8)
  for (const [at, value] of [rows, columns, width, height].entries()) winsize.writeUInt16LE(value, 2 * at)
  libc().ioctl(descriptor, TIOCSWINSZ, winsize)
}

/** The size of a terminal; undefined if nobody has set it, or the descriptor is no terminal. */
export function readSize(descriptor: number): TerminalSize | undefined {
  const winsize = Buffer.alloc(8)
  if (libc().ioctl(descriptor, TIOCGWINSZ, winsize) !== 0) return undefined
  const [rows = 0, columns = 0, width = 0, height = 0] = [0, 2, 4, 6].map((at) => winsize.readUInt16LE(at))
  return rows > 0 && columns > 0 ? { columns, rows, width, height } : undefined
}
