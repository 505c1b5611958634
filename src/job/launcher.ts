import { isUtf8 } from 'node:buffer'
import type { Environment } from './environment.js'
import { findProgram, isExecutable } from './shell.js'

export interface Program {
  /** An absolute path, or a name for PATH. */
  file: string
  /** Bytes where they need not be UTF-8. None may hold a zero byte. */
  args: readonly (string | Buffer)[]
}

export interface Preparations {
  /** A pseudo-terminal to become the controlling one, by its path. */
  terminal?: string | undefined
  /** Words for stty(1). */
  stty?: readonly string[]
  /** The soft limit of open files. */
  openFiles?: number | undefined
  /** Signals to ignore, by number. */
  ignoredSignals?: readonly number[]
}

/** What to hand to startChild(). */
export interface Launch {
  file: string
  args: readonly string[]
  environment: Record<string, string>
  argv0?: string
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Below MAX_ARG_STRLEN, execve(2): a longer text is cut into several arguments. */
const PIECE_MAX = 64 * 1024

let stty: string | undefined

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Bytes as a format of printf(1): all but letters and digits as octal escapes. */
function spellBytes(bytes: Buffer): string[] {
  let text = ''
  const pieces: string[] = []
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    text += /[A-Za-z0-9]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`
    if (text.length > PIECE_MAX) {
      pieces.push(text)
      text = ''
    }
  }
  return [...pieces, text]
}

/** The shell script that prepares the process and then becomes the program. */
class Prelude {
  readonly #lines: string[] = []
  readonly #parameters: string[] = []

  /** A word of the script that stands for this text. */
  #parameter(text: string): string {
    return `"\${${this.#parameters.push(text)}}"`
  }

  do(line: string): void {
    this.#lines.push(line)
  }

  /** Sets a variable to bytes that a JavaScript string can't carry into the new process. */
  setBytes(variable: string, bytes: Buffer): void {
    const prints = spellBytes(bytes).map((piece) => `printf ${this.#parameter(piece)}; `)
    // $(…) cuts off line ends: the x keeps them.
    this.do(`${variable}=$(${prints.join('')}printf x); ${variable}=\${${variable}%x}`)
  }

  word(argument: string | Buffer, index: number): string {
    if (typeof argument === 'string') return this.#parameter(argument)
    if (isUtf8(argument)) return this.#parameter(argument.toString())
    const variable = `_sshjob_${index}`
    this.setBytes(variable, argument)
    return `"$${variable}"`
  }

  get args(): string[] {
    return ['-c', this.#lines.join('\n'), 'sh', ...this.#parameters]
  }
}

/**
 * dash and busybox's sh drop variables whose names no shell can export, and so exported functions of bash, which
 * clusters use for their `module` command. Where there are such, bash hands them on.
 */
function chooseShellFor(names: Iterable<string>): string {
  const odd = [...names].some((name) => !NAME.test(name))
  const candidates = odd ? ['/bin/bash', '/usr/bin/bash', '/bin/sh'] : ['/bin/sh', '/bin/bash']
  return candidates.find(isExecutable) ?? findProgram('sh', undefined, '/') ?? '/bin/sh'
}

/**
 * Says how to start a program with what must be done between fork and exec, and Node.js can't do: a few lines of
 * POSIX sh do it and then become the program. Without anything to do, the program is started as it is.
 */
export function prepareLaunch(program: Program, variables: Environment, preparations: Preparations): Launch {
  const { terminal, openFiles, ignoredSignals = [] } = preparations
  const raw = [...variables].filter(([name, value]) => NAME.test(name) && !isUtf8(value))
  const environment: Record<string, string> = {}
  for (const [name, value] of variables) environment[name] = value.toString()
  const plain = program.args.every((arg) => typeof arg === 'string' || isUtf8(arg))
  const nothingToDo = terminal === undefined && openFiles === undefined && ignoredSignals.length === 0
  if (nothingToDo && raw.length === 0 && plain) {
    return { file: program.file, args: program.args.map(String), environment }
  }

  const prelude = new Prelude()
  if (terminal !== undefined) {
    // The leader of a session that has no controlling terminal gets the one that it opens (open(2), O_NOCTTY).
    prelude.do(`{ :; } <>${quote(terminal)}`)
    stty ??= findProgram('stty', process.env.PATH, '/') ?? findProgram('stty', '/usr/bin:/bin', '/')
    const words = preparations.stty ?? []
    // Without stty, or if it likes a word not at all, the session goes on with the kernel's modes.
    if (stty !== undefined && words.length > 0)
      prelude.do(`${quote(stty)} ${words.map(quote).join(' ')} 2>/dev/null`)
  }
  if (ignoredSignals.length > 0) prelude.do(`trap '' ${ignoredSignals.join(' ')}`)
  if (openFiles !== undefined) prelude.do(`ulimit -Sn ${openFiles} 2>/dev/null`)
  const words = [program.file, ...program.args].map((word, index) => prelude.word(word, index))
  for (const [name, value] of raw) {
    prelude.setBytes(name, value)
    prelude.do(`export ${name}`)
  }
  prelude.do(`exec ${words.join(' ')}`)
  // Called sh, bash reads neither BASH_ENV nor, below an SSH server, ~/.bashrc.
  return { file: chooseShellFor(variables.keys()), args: prelude.args, environment, argv0: 'sh' }
}
