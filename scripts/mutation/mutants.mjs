// What may be changed in a file, one operator, condition, block or literal at a time: Stryker's mutators make the
// changes and put all of them into one text, in which a switch says which of them counts.
import { readFileSync } from 'node:fs'
import { Instrumenter } from '@stryker-mutator/instrumenter'

/**
 * @typedef {object} Mutant
 * @property {string} id
 * @property {string} file
 * @property {number} row      from 1
 * @property {string} line     the text of that row
 * @property {string} from     the code that is changed, up to its first line end
 * @property {string} to       what stands in its place
 */

const silent = () => undefined
const logger = {
  isDebugEnabled: () => false,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
}

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error'])

/** `log.info(…)`, `this.#log.info(…)`, `context.log.info(…)`: what a log says is for people, and no test's affair. */
const logging = {
  shouldIgnore(path) {
    const { callee } = path.node
    if (!path.isCallExpression() || callee.type !== 'MemberExpression') return undefined
    if (!LEVELS.has(callee.property.name)) return undefined
    const { object } = callee
    const name =
      object.type === 'MemberExpression' ? (object.property.id ?? object.property).name : object.name
    return name === 'log' ? 'it goes to the log' : undefined
  },
}

/**
 * @param {readonly string[]} files
 * @returns {Promise<{ mutants: Mutant[], texts: Map<string, string> }>} the changes, and each file with all of its own
 */
export async function mutantsOf(files) {
  const inputs = files.map((name) => ({ name, mutate: true, content: readFileSync(name, 'utf8') }))
  const options = { plugins: null, ignorers: [logging], excludedMutations: [], noHeader: false }
  const result = await new Instrumenter(logger).instrument(inputs, options)
  const sources = new Map(inputs.map(({ name, content }) => [name, content.split('\n')]))
  const mutants = result.mutants
    .filter(({ statusReason }) => statusReason === undefined)
    .map(({ id, fileName, location, replacement }) => {
      const { start, end } = location
      const line = sources.get(fileName)?.[start.line] ?? ''
      const from = line.slice(start.column, end.line === start.line ? end.column : undefined)
      const to = replacement.replaceAll(/\s+/g, ' ')
      return { id, file: fileName, row: start.line + 1, line: line.trim(), from: from.trim(), to }
    })
  return { mutants, texts: new Map(result.files.map(({ name, content }) => [name, content])) }
}
