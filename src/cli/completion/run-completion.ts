import { parseArguments, usage } from '../arguments/options.js'
import { printHelp } from '../manual/print-help.js'
import { forBash, splitBashWords } from './bash.js'
import type { Completion } from './candidates.js'
import { complete } from './complete.js'
import { COMPLETION_OPTIONS, SHELLS, type Shell } from './shells.js'
import { sources } from './sources.js'

/** `sshjob completion bash|zsh|fish`: prints the script, which calls us as `sshjob completion --bash …`. */
export async function runCompletionCommand(args: readonly string[]): Promise<number> {
  const asking = SHELLS.find((shell) => args[0] === `--${shell}`)
  if (asking !== undefined) {
    process.stdout.write(await answer(asking, args.slice(1)))
    return 0
  }
  const { given, operands } = parseArguments(args, COMPLETION_OPTIONS, 'sshjob completion')
  if (given.some(({ name }) => name === 'help')) return printHelp(import('../manual/completion.js'))
  const shell = SHELLS.find((name) => name === operands[0])
  if (shell === undefined || operands.length > 1) {
    throw usage(`'sshjob completion' takes the name of a shell: ${SHELLS.join(', ')}.`, 'sshjob completion')
  }
  const { SCRIPTS } = await import('./scripts.js')
  process.stdout.write(SCRIPTS[shell])
  return 0
}

/** Whatever goes wrong: a person who types has no use for a sentence in the middle of the line. */
async function answer(shell: Shell, [first = '', ...rest]: readonly string[]): Promise<string> {
  try {
    if (shell !== 'bash') return formatLines(await complete([first, ...rest], sources))
    return forBash(await complete(splitBashWords(first).words, sources), first, rest[0] ?? '')
  } catch {
    return ''
  }
}

/** The kind, and a line for each word, with its meaning behind a tab. */
function formatLines(completion: Completion): string {
  const words = completion.kind === 'words' ? completion.candidates : []
  const lines = words.map(({ value, meaning = '' }) => (meaning === '' ? value : `${value}\t${meaning}`))
  return [completion.kind, ...lines].map((line) => `${line}\n`).join('')
}
