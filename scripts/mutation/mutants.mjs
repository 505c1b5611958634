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
 * @param {string} file
 * @returns {Promise<{ mutants: Mutant[], text: string }>} the changes, and a text with all of them
 */
export async function mutantsOf(file) {
  const content = readFileSync(file, 'utf8')
  const options = { plugins: null, ignorers: [logging], excludedMutations: [], noHeader: false }
  const result = await new Instrumenter(logger).instrument([{ name: file, mutate: true, content }], options)
  const lines = content.split('\n')
  const mutants = result.mutants
    .filter(({ statusReason }) => statusReason === undefined)
    .map(({ id, location: { start, end }, replacement }) => {
      const line = lines[start.line] ?? ''
      const from = line.slice(start.column, end.line === start.line ? end.column : undefined)
      return {
        id,
        file,
        row: start.line + 1,
        line: line.trim(),
        from: from.trim(),
        to: replacement.replaceAll(/\s+/g, ' '),
      }
    })
  return { mutants, text: result.files[0].content }
}
