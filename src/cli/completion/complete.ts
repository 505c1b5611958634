import { basename } from 'node:path'
import type { OptionSpec } from '../arguments/options.js'
import { COMMANDS } from '../commands.js'
import type { Manual, Operand } from '../manual/manual.js'
import { type Completion, startingWith } from './candidates.js'
import type { Sources } from './sources.js'

const NOTHING: Completion = { kind: 'words', candidates: [] }

/**
 * What may stand in the place of the last word of a command line.
 * @param words the program, and what is behind it up to the cursor, without quotes; the last may be ''
 */
export async function complete(words: readonly string[], sources: Sources): Promise<Completion> {
  const [program = '', ...rest] = words
  const last = rest.pop() ?? ''
  const [command, before] = await findManual(basename(program), rest)
  if (command === undefined) return NOTHING
  const { given, pending, operands, onlyOperands } = readCall(before, command)
  if (pending !== undefined) return completeValue(pending, last)
  const mayBeOption = operands.length === 0 || Array.isArray(command.operands[operands.length - 1])
  if (mayBeOption && !onlyOperands && last.startsWith('-')) return completeOption(command, last)
  const reach = { given, sources }
  // The first word may be a command instead of a job.
  const isFirst = rest.length === 0 && command.commands !== undefined
  const found = await completeOperand(command, operands, last, reach)
  if (!isFirst || found.kind !== 'words') return found
  const commands = COMMANDS.map(({ name, summary }) => ({ value: name, meaning: summary }))
  return { kind: 'words', candidates: [...startingWith(last, commands), ...found.candidates] }
}

/** The command that is meant, and the words behind it. */
async function findManual(
  program: string,
  words: readonly string[],
): Promise<[manual: Manual | undefined, behind: readonly string[]]> {
  switch (program) {
    case 'sshjob-server':
      return [(await import('../manual/server.js')).manual, words]
    case 'sshjob-keygen':
      return [(await import('../manual/keygen.js')).manual, words]
    case 'sshjob': {
      const command = COMMANDS.find(({ name }) => name === words[0])
      if (command !== undefined) return [(await command.manual()).manual, words.slice(1)]
      return [(await import('../manual/session.js')).manual, words]
    }
    default:
      return [undefined, words]
  }
}

interface ReadWords {
  given: { name: string; value: string | undefined }[]
  /** The option whose value comes next. */
  pending: OptionSpec | undefined
  operands: readonly string[]
  /** Behind '--', nothing is an option. */
  onlyOperands: boolean
}

/** The words behind a command. Where the first is one of some, such as 'install', options stand behind it as well. */
function readCall(words: readonly string[], { options, operands: [first] }: Manual): ReadWords {
  const [action, ...rest] = words
  if (action === undefined || !Array.isArray(first) || !first.includes(action))
    return readWords(words, options)
  const read = readWords(rest, options)
  return { ...read, operands: [action, ...read.operands] }
}

/** As parseArguments() reads them, but for mistakes, and for a value that is still to come. */
function readWords(words: readonly string[], table: Manual['options']): ReadWords {
  const given: ReadWords['given'] = []
  const result = (more: Partial<ReadWords>): ReadWords => ({
    given,
    pending: undefined,
    operands: [],
    onlyOperands: false,
    ...more,
  })
  const takesNext = (spec: OptionSpec | undefined): spec is OptionSpec =>
    spec?.value !== undefined && spec.optional !== true
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return result({ operands: words.slice(at + 1), onlyOperands: true })
    if (!word.startsWith('-') || word === '-') return result({ operands: words.slice(at) })
    const found = word.startsWith('--') ? readLong(word, table) : readShort(word, table)
    if (found === undefined) continue
    if (found.value !== undefined || !takesNext(found.spec)) given.push(found)
    else if (at + 1 === words.length) return result({ pending: found.spec })
    else given.push({ ...found, value: words[++at] })
  }
  return result({})
}

interface ReadOption {
  name: string
  spec: OptionSpec
  value: string | undefined
}

function readLong(word: string, table: Manual['options']): ReadOption | undefined {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const spec = Object.hasOwn(table, name) ? table[name] : undefined
  return spec && { name, spec, value }
}

/** The last option of several behind one dash. */
function readShort(word: string, table: Manual['options']): ReadOption | undefined {
  for (let at = 1; at < word.length; at++) {
    const [name, spec] = Object.entries(table).find(([, { short }]) => short === word[at]) ?? []
    if (name === undefined || spec === undefined) return undefined
    const value = word.slice(at + 1)
    if (at + 1 === word.length) return { name, spec, value: undefined }
    if (spec.value !== undefined) return { name, spec, value }
  }
  return undefined
}

function completeOption({ options }: Manual, word: string): Completion {
  const [, name = '', value] = /^--([^=]+)=(.*)$/s.exec(word) ?? []
  if (value !== undefined) {
    const spec = Object.hasOwn(options, name) ? options[name] : undefined
    return spec === undefined ? NOTHING : completeValue(spec, value, `--${name}=`)
  }
  const all = Object.entries<OptionSpec>(options)
  const long = all.map(([option, { help }]) => ({ value: `--${option}`, meaning: help }))
  const short = all.flatMap(([, spec]) =>
    spec.short === undefined ? [] : [{ value: `-${spec.short}`, meaning: spec.help }],
  )
  return { kind: 'words', candidates: startingWith(word, word === '-' ? [...short, ...long] : long) }
}

/** @param before what stands before the value in the same word */
function completeValue(spec: OptionSpec, value: string, before = ''): Completion {
  if (spec.values !== undefined) {
    const values = startingWith(
      value,
      spec.values.map((each) => ({ value: each })),
    )
    return { kind: 'words', candidates: values.map((each) => ({ value: before + each.value })) }
  }
  if (spec.value === 'FILE') return { kind: 'files' }
  if (spec.value === 'DIR') return { kind: 'directories' }
  return NOTHING
}

interface Reach {
  given: ReadWords['given']
  sources: Sources
}

async function completeOperand(
  { operands: kinds }: Manual,
  operands: readonly string[],
  word: string,
  { given, sources }: Reach,
): Promise<Completion> {
  const kind: Operand | undefined = kinds[Math.min(operands.length, kinds.length - 1)]
  switch (kind) {
    case undefined:
      return NOTHING
    case 'job':
      return { kind: 'words', candidates: startingWith(word, await sources.jobs(given)) }
    case 'port':
      return { kind: 'words', candidates: startingWith(word, await sources.ports(operands[0] ?? '', given)) }
    case 'place':
      return sources.places(word, given)
    case 'program':
      return { kind: 'programs' }
    case 'file':
      return { kind: 'files' }
    default:
      return {
        kind: 'words',
        candidates: startingWith(
          word,
          kind.map((value) => ({ value })),
        ),
      }
  }
}
