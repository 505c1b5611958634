// npm run fuzz -- [--minutes N | --rounds N] [--seed N] [--only NAME]: what the tests do with a fixed seed, with others, for as long as
// one likes. What fails is made as small as it goes, and kept in test/fuzz/found, where a test runs it for ever.
import { appendFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fuzz } from './core/fuzz.js'

const USAGE =
  'Usage: npm run fuzz -- [--minutes N | --rounds N] [--seed N] [--only NAME] [--targets FILE] [--found DIRECTORY]'
const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    rounds: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    targets: { type: 'string', default: './test/fuzz/targets/all.js' },
    found: { type: 'string', default: 'test/fuzz/found' },
  },
})
/** NaN for what is no number, so that no comparison holds. */
const numberOr = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Number(text === '' ? Number.NaN : text)
const minutes = numberOr(values.minutes, values.rounds === undefined ? 1 : Number.POSITIVE_INFINITY)
const rounds = numberOr(values.rounds, Number.POSITIVE_INFINITY)
const seed = numberOr(values.seed, Math.floor(Math.random() * 2 ** 31))
if (!(minutes > 0 && rounds > 0 && Number.isInteger(seed))) {
  console.error(USAGE)
  process.exit(2)
}

const { passed, failed, skipped } = await fuzz({
  targets: values.targets,
  found: values.found,
  minutes,
  rounds,
  seed,
  only: values.only ?? '',
  say: (line) => console.error(line),
})
console.error(`${passed} passed, ${failed} failed, ${skipped} skipped`)
const summary = process.env.SSHJOB_TEST_SUMMARY
if (summary) appendFileSync(summary, `${passed} ${failed} ${skipped}\n`)
process.exitCode = failed > 0 ? 1 : 0
