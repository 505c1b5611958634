import type { OptionSpec, OptionTable } from '../arguments/options.js'
import { columns, wrap } from './layout.js'
import type { Manual, Row } from './manual.js'

/** What `--help` prints: at most 80 columns wide, in ASCII. */
export function helpText(manual: Manual): string {
  const {
    name,
    calls,
    description,
    commands = [],
    options,
    examples = [],
    after = [],
    exitStatus = [],
  } = manual
  const usage = calls.map((call, index) => `${index === 0 ? 'Usage:' : '      '} ${name} ${call}`.trimEnd())
  const blocks = [
    usage.join('\n'),
    ...description.map((paragraph) => wrap(paragraph).join('\n')),
    titled('Other commands, each of which answers --help:', indented(commands)),
    titled('Options:', describeOptions(options)),
    titled('Examples:', describeExamples(examples)),
    ...[...after, ...exitStatus].map((paragraph) => wrap(paragraph).join('\n')),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function titled(title: string, text: string): string {
  return text === '' ? '' : `${title}\n${text}`
}

function indented(rows: readonly Row[]): string {
  return columns(rows.map(([term, what]) => [`  ${term}`, what]))
}

/** Each call on lines of its own, to be copied as it is. */
function describeExamples(rows: readonly Row[]): string {
  return rows.map(([call, what]) => `  ${call}\n${columns([['     ', what]])}`).join('\n')
}

/** The options as lines. */
function describeOptions(table: OptionTable<string>): string {
  return columns(Object.entries<OptionSpec>(table).map(([name, spec]) => [left(name, spec), spec.help]))
}

function left(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `
  const value = spec.value === undefined ? '' : spec.optional === true ? `[=${spec.value}]` : ` ${spec.value}`
  return `  ${short}--${name}${value}`
}
