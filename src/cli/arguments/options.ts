import { parseArgs } from 'node:util'
import { SshjobError } from '../../core/errors.js'

/** One option of a command, by its long name. */
export interface OptionSpec {
  short?: string
  /** The placeholder of its value; absent: the option takes none. */
  value?: string
  /** True: the value may be left out, and is given as --name=VALUE only. */
  optional?: boolean
  /** The values that there are, where they are few. */
  values?: readonly string[]
  /** A sentence without its capital and its full stop, in ASCII. */
  help: string
}

export type OptionTable<Name extends string> = Readonly<Record<Name, OptionSpec>>

export interface GivenOption<Name extends string> {
  name: Name
  /** Always a string where the option takes a value that is not optional. */
  value: string | undefined
}

export interface ParsedArguments<Name extends string> {
  /** In the order in which they were given, each as often as it was given. */
  given: GivenOption<Name>[]
  /** Those of `more`, likewise. */
  givenMore: GivenOption<string>[]
  /** The first word that is no option, and everything behind it, untouched. */
  operands: string[]
  /** Whether '--' stood before them: whatever they look like, they are no options. */
  terminated: boolean
}

/**
 * Reads options as getopt(3) does with POSIXLY_CORRECT: up to the first word that is no option, or up to '--'.
 * node:util's parser does the splitting (-tt, -vvv, -enone, --name=value); it starts in 1 ms, commander in 7.
 * @param more options that are taken as well, and that the command knows nothing of: those of engines
 * @throws SshjobError 'usage' for an unknown option, a missing value, or a value where none is taken
 */
export function parseArguments<Name extends string>(
  args: readonly string[],
  table: OptionTable<Name>,
  program = 'sshjob',
  more: OptionTable<string> = {},
): ParsedArguments<Name> {
  const own = new Map<string, OptionSpec>(Object.entries(table))
  const known = new Map<string, OptionSpec>([...Object.entries(more), ...own])
  const isName = (name: string): name is Name => own.has(name)
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...known].map(([name, spec]) => [name, parserOption(spec)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })

  const given: GivenOption<Name>[] = []
  const givenMore: GivenOption<string>[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') {
      return { given, givenMore, operands: args.slice(token.index), terminated: false }
    }
    if (token.kind === 'option-terminator') {
      return { given, givenMore, operands: args.slice(token.index + 1), terminated: true }
    }
    const { name, rawName, value } = token
    const spec = known.get(name)
    if (spec === undefined) throw usage(`There is no option ${rawName}.`, program)
    if (spec.value === undefined && value !== undefined) throw usage(`${rawName} takes no value.`, program)
    if (spec.value !== undefined && spec.optional !== true && value === undefined) {
      throw usage(`${rawName} needs a value: ${spec.value}.`, program)
    }
    if (isName(name)) given.push({ name, value })
    else givenMore.push({ name, value })
  }
  return { given, givenMore, operands: [], terminated: false }
}

function parserOption(spec: OptionSpec): { type: 'string' | 'boolean'; short?: string } {
  // A 'boolean' takes no following word, and in non-strict mode reports what stands behind its '='.
  const type = spec.value !== undefined && spec.optional !== true ? 'string' : 'boolean'
  return spec.short === undefined ? { type } : { type, short: spec.short }
}

/**
 * For commands whose words are never options: as getopt(3) has it, those stand before the words.
 * @throws SshjobError 'usage' for one that stands behind them
 */
export function refuseLateOptions({ operands, terminated }: ParsedArguments<string>, program: string): void {
  const late = operands.find((word) => /^-./.test(word))
  if (late === undefined || terminated) return
  throw usage(`Options stand before the other words, and ${late} behind them.`, program)
}

/** The error of a wrong call: what is wrong, and where help is. */
export function usage(problem: string, program = 'sshjob'): SshjobError {
  return new SshjobError('usage', `${problem} Run '${program} --help' for the options.`)
}
