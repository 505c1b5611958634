import type { OptionSpec, OptionTable } from '../arguments/options.js'
import { wrap } from './layout.js'
import type { Manual, ManualSection, Row } from './manual.js'

/** A program with its subcommands, as one page in section 1. */
export interface ManualPage {
  readonly program: Manual
  readonly commands?: readonly Manual[]
  /** Names of the pages that go with it: 'ssh 1'. */
  readonly seeAlso: readonly string[]
}

/**
 * The page as mdoc(7) has it.
 * @param date when it was made
 */
export function manPage({ program, commands = [], seeAlso }: ManualPage, date: Date): string {
  const { name, summary, sections = [], examples = [] } = program
  const allExamples = [...examples, ...commands.flatMap((command) => command.examples ?? [])]
  return lines(
    `.Dd ${formatDate(date)}`,
    `.Dt ${name.toUpperCase()} 1`,
    '.Os',
    '.Sh NAME',
    `.Nm ${name}`,
    `.Nd ${escapeText(summary)}`,
    '.Sh SYNOPSIS',
    ...[program, ...commands].flatMap(synopsis),
    '.Sh DESCRIPTION',
    ...paragraphs(program.description),
    ...options(program.options),
    ...paragraphs(program.after ?? [], '.Pp'),
    ...commands.flatMap((command) => [
      `.Ss ${command.name}`,
      ...paragraphs(command.description),
      ...options(command.options),
      ...paragraphs([...(command.after ?? []), ...(command.exitStatus ?? [])], '.Pp'),
    ]),
    ...sections.flatMap(section),
    '.Sh EXIT STATUS',
    ...paragraphs(program.exitStatus ?? [OF_GETOPT]),
    ...(allExamples.length === 0 ? [] : ['.Sh EXAMPLES', ...examplesOf(allExamples)]),
    '.Sh SEE ALSO',
    ...seeAlso.map((page, index) => `.Xr ${page}${index === seeAlso.length - 1 ? '' : ' ,'}`),
  )
}

const OF_GETOPT = 'It is 0, or above 0 when an error has occurred.'

const lines = (...parts: readonly string[]): string => parts.map((line) => `${line}\n`).join('')

const MONTHS = 'January February March April May June July August September October November December'

function formatDate(date: Date): string {
  return `${MONTHS.split(' ')[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`
}

function synopsis({ name, calls }: Manual): string[] {
  return calls.flatMap((call) => [
    `.Nm ${escapeText(name)}`,
    ...(call === '' ? [] : [protectDot(escapeText(call))]),
  ])
}

/** @param first what stands before the first of them */
function paragraphs(texts: readonly string[], first?: string): string[] {
  return texts.flatMap((text, index) => [
    ...(index === 0 ? (first === undefined ? [] : [first]) : ['.Pp']),
    ...sentences(text),
  ])
}

/** Each on a line of its own, as mdoc(7) wants it: the formatter puts the space between them. */
function sentences(text: string): string[] {
  return text
    .split(/(?<=[.:])\s+(?=[A-Z'-])/)
    .flatMap((sentence) => wrap(escapeText(sentence)).map(protectDot))
}

function options(table: OptionTable<string>): string[] {
  return list(
    Object.entries<OptionSpec>(table).map(([name, spec]) => [optionTerm(name, spec), asSentence(spec.help)]),
  )
}

function optionTerm(name: string, { short, value, optional }: OptionSpec): string {
  const forms = [...(short === undefined ? [] : [`Fl ${short} ,`]), `Fl \\-${escapeText(name)}`]
  if (value === undefined) return forms.join(' ')
  const argument = escapeText(value).replaceAll(' ', '\\~')
  return optional === true
    ? `${forms.join(' ')} Ns Op Ns = Ns Ar ${argument}`
    : `${forms.join(' ')} Ar ${argument}`
}

function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function section({ title, text }: ManualSection): string[] {
  return [
    `.Sh ${title}`,
    ...text.flatMap((part, index) =>
      typeof part === 'string'
        ? [...(index === 0 ? [] : ['.Pp']), ...sentences(part)]
        : list(part.map(([term, meaning]: Row) => [`Cm ${quoteWord(term)}`, asSentence(meaning)])),
    ),
  ]
}

function list(rows: readonly (readonly [term: string, meaning: string])[]): string[] {
  if (rows.length === 0) return []
  return [
    '.Bl -tag -width Ds',
    ...rows.flatMap(([term, meaning]) => [`.It ${term}`, ...sentences(meaning)]),
    '.El',
  ]
}

function examplesOf(rows: readonly Row[]): string[] {
  return rows.flatMap(([call, what], index) => [
    ...(index === 0 ? [] : ['.Pp']),
    ...sentences(asSentence(what)),
    '.Bd -literal -offset indent',
    ...call.split('\n').map((line) => protectDot(escapeText(line))),
    '.Ed',
  ])
}

/** As one argument of a macro. */
function quoteWord(text: string): string {
  // A delimiter at the end would be taken for punctuation.
  return `"${escapeText(text).replaceAll('"', '\\(dq')}\\&"`
}

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '~': '\\(ti',
  '^': '\\(ha',
}

/** As it stands there: roff(7) would make typographic characters of some. */
function escapeText(text: string): string {
  return text.replace(/[\\\-'`~^]/g, (character) => SPECIAL[character] ?? character)
}

/** A line that begins with a dot is a request of roff(7). */
function protectDot(line: string): string {
  return line.startsWith('.') ? `\\&${line}` : line
}
