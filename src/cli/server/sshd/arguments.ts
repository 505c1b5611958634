import { SshjobError } from '../../../core/errors.js'

/** What sshd(8) takes, for getopt(3); a colon: with a value. */
const OPTIONS = '46C:DE:GTb:c:def:g:h:ik:o:p:qrtu:V'
/** Options that say that a configuration is to be read: none of sshjob-server's own is called so. */
const OF_SSHD = new Set(['f', 't', 'T'])
/** About listening, forking and old protocols: there is nothing here that they could change. */
const WITHOUT_EFFECT = new Set(['4', '6', 'D', 'b', 'k', 'p', 'r', 'u'])

export interface SshdArguments {
  mode: 'serve' | 'check' | 'dump'
  file: string
  /** Lines that count before the file's. */
  lines: readonly string[]
  hostKeys: readonly string[]
  /** -C, for -T: 'user=a,addr=b'. */
  connection: readonly string[]
  logTo: { kind: 'stderr' } | { kind: 'file'; file: string } | { kind: 'nowhere' }
  /** -d and -q: what the log has, whatever LogLevel says. */
  logLevel: string | undefined
}

/** Whether we are called as sshd is: with -f, -t or -T, before anything that is no option. */
export function isSshdCall(args: readonly string[]): boolean {
  for (const { letter } of letters(args)) {
    if (letter === undefined) return false
    if (OF_SSHD.has(letter)) return true
  }
  return false
}

/** @throws SshjobError 'usage' for an option that there is not, or that is not supported */
export function readSshdArguments(args: readonly string[]): SshdArguments {
  const given = new Map<string, string[]>()
  for (const { letter, value, word } of letters(args)) {
    if (letter === undefined) throw usage(`'${word}' is no option of sshd`)
    if (value === undefined && takesValue(letter)) throw usage(`-${letter} needs a value`)
    given.set(letter, [...(given.get(letter) ?? []), value ?? ''])
  }
  if (given.has('c')) throw usage('-c: certificates are not supported')
  const known = ['C', 'E', 'T', 'd', 'e', 'f', 'g', 'h', 'i', 'o', 'q', 't']
  const other = [...given.keys()].find((letter) => !known.includes(letter) && !WITHOUT_EFFECT.has(letter))
  if (other !== undefined) throw usage(`-${other} is not supported`)
  const file = given.get('f')?.at(-1)
  if (file === undefined) throw usage('a configuration is needed: -f FILE')
  const mode = given.has('T') ? 'dump' : given.has('t') ? 'check' : 'serve'
  if (mode === 'serve' && !given.has('i')) {
    throw usage('with -f goes -i, to serve one connection on stdin and stdout, -t or -T: it does not listen')
  }
  const grace = given.get('g')?.at(-1)
  return {
    mode,
    file,
    lines: [...(given.get('o') ?? []), ...(grace === undefined ? [] : [`LoginGraceTime ${grace}`])],
    hostKeys: given.get('h') ?? [],
    connection: given.get('C') ?? [],
    logTo: chooseLog(given),
    logLevel: given.has('d')
      ? `DEBUG${Math.min(3, given.get('d')?.length ?? 1)}`
      : given.has('q')
        ? 'QUIET'
        : undefined,
  }
}

/** sshd logs to syslog unless -e or -E say otherwise; there is no syslog here. -d implies -e. */
function chooseLog(given: ReadonlyMap<string, readonly string[]>): SshdArguments['logTo'] {
  const file = given.get('E')?.at(-1)
  if (file !== undefined) return { kind: 'file', file }
  return given.has('e') || given.has('d') ? { kind: 'stderr' } : { kind: 'nowhere' }
}

const takesValue = (letter: string): boolean => OPTIONS[OPTIONS.indexOf(letter) + 1] === ':'
const isOption = (letter: string): boolean => letter !== ':' && OPTIONS.includes(letter)

interface Letter {
  /** Undefined for what is no option of sshd. */
  letter: string | undefined
  value?: string | undefined
  word: string
}

/** As getopt(3) takes them: several letters behind one dash, a value in the same word or the next. */
function* letters(args: readonly string[]): Generator<Letter> {
  const words = [...args]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!/^-[^-]/.test(word)) return yield { letter: undefined, word }
    for (let rest = word.slice(1); rest !== ''; ) {
      const letter = rest.charAt(0)
      rest = rest.slice(1)
      if (!isOption(letter)) return yield { letter: undefined, word: `-${letter}` }
      if (!takesValue(letter)) yield { letter, word }
      else {
        yield { letter, value: rest === '' ? words.shift() : rest, word }
        rest = ''
      }
    }
  }
}

function usage(problem: string): SshjobError {
  return new SshjobError('usage', `${problem}. Run 'sshjob-server --help' for the options.`)
}
