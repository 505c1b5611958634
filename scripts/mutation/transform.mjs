// A transformer for jest: in the place of a file that is mutated comes its text with all of its mutants.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import swcJest from '@swc/jest'

const directory = process.env.SSHJOB_MUTATION
/** Where the texts are, by the files' paths. */
const texts = new Map(Object.entries(JSON.parse(readFileSync(join(directory, 'texts.json'), 'utf8'))))

export default {
  createTransformer(options) {
    const swc = swcJest.createTransformer(options)
    const textOf = (source, path) => (texts.has(path) ? readFileSync(texts.get(path), 'utf8') : source)
    return {
      canInstrument: false,
      process: (source, path, more) => swc.process(textOf(source, path), path, more),
      getCacheKey: (source, path, more) => swc.getCacheKey(textOf(source, path), path, more),
    }
  },
}
