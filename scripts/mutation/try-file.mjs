// All mutants of one source file, with the tests that are nearest to it first.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { mutantsOf } from './mutants.mjs'
import { failsFromTheStart, runFile } from './worker.mjs'

/** What so many files of tests reach and don't notice, the nearest first, the others hardly will. */
const FILES_PER_MUTANT = 8
/** … those of other folders still less. */
const FAR_FILES = 2
/** What counts when a file is loaded costs a start of jest for each mutant. */
const FILES_AT_LOAD = 3

/**
 * @param {string} root
 * @param {string} file
 * @param {readonly string[]} tests   those that import the file, directly or not
 * @param {(mutant: import('./mutants.mjs').Mutant) => boolean} isKnown   which need not be tried
 * @param {{ directory: string, env: NodeJS.ProcessEnv, say: (line: string) => void }} place
 * @returns {Promise<(import('./mutants.mjs').Mutant & { status: string, by?: string })[]>}
 *   `status`: 'killed', 'survived', 'unreached' or 'known'
 */
export async function tryFile(root, file, tests, isKnown, { directory, env, say }) {
  const { mutants, text } = await mutantsOf(file)
  const place = mkdtempSync(join(directory, 'm'))
  for (const name of ['t', 'home']) mkdirSync(join(place, name))
  writeFileSync(join(place, 'text.ts'), text)
  writeFileSync(join(place, 'texts.json'), JSON.stringify({ [file]: join(place, 'text.ts') }))
  const own = { ...env, SSHJOB_MUTATION: place, TMPDIR: join(place, 't'), HOME: join(place, 'home') }
  const known = mutants.filter(isKnown)
  const unknown = mutants.filter((mutant) => !known.includes(mutant))
  const trial = new Trial(root, unknown, own, say)
  for (const test of byNearness(root, file, tests)) await trial.withTests(test)
  await trial.fromTheStart()
  return [...trial.results(), ...known.map((mutant) => ({ ...mutant, status: 'known' }))]
}

/** The tests of that name, those that import it directly, those of the same folder, and then a few of the others. */
function byNearness(root, file, tests) {
  const source = relative(join(root, 'src'), file).replace(/\.ts$/, '')
  const imported = new RegExp(`/src/${source}\\.js'`)
  const score = (test) => {
    const name = relative(join(root, 'test/unit'), test).replace(/\.test\.ts$/, '')
    if (name === source) return 3
    if (imported.test(readFileSync(test, 'utf8'))) return 2
    return name.split('/')[0] === source.split('/')[0] ? 1 : 0
  }
  const scores = new Map(tests.map((test) => [test, score(test)]))
  const near = tests.filter((test) => scores.get(test) > 0).sort((a, b) => scores.get(b) - scores.get(a))
  return [...near, ...tests.filter((test) => scores.get(test) === 0).slice(0, FAR_FILES)]
}

class Trial {
  #root
  #mutants
  #env
  #say
  /** By the ids: what became of each. None: no test has reached it. */
  #results = new Map()
  /** By the ids of what is run when a file is loaded: the tests that load it. */
  #atLoad = new Map()

  constructor(root, mutants, env, say) {
    this.#root = root
    this.#mutants = mutants
    this.#env = env
    this.#say = say
  }

  results() {
    return this.#mutants.map((mutant) => ({
      status: 'unreached',
      ...mutant,
      ...this.#results.get(mutant.id),
    }))
  }

  #open() {
    return this.#mutants.map(({ id }) => id).filter((id) => this.#results.get(id)?.status !== 'killed')
  }

  #note(id, status, by) {
    const { files = 0 } = this.#results.get(id) ?? {}
    this.#results.set(id, { status, by, files: files + 1 })
  }

  /** One file of tests, in as many processes as it takes. */
  async withTests(test) {
    const name = relative(this.#root, test)
    let wanted = this.#open().filter((id) => (this.#results.get(id)?.files ?? 0) < FILES_PER_MUTANT)
    let reached
    while (wanted.length > 0) {
      const over = new Set()
      let again
      const { done, unsure, hung, said } = await runFile(this.#root, test, wanted, this.#env, (message) => {
        const { kind, id, by } = message
        if (kind === 'broken')
          this.#say(`${name} fails without any mutant: ${message.tests.slice(0, 3).join(', ')}`)
        if (kind === 'reached') {
          reached ??= new Set(message.byTests)
          for (const one of message.atLoad) this.#atLoad.set(one, [...(this.#atLoad.get(one) ?? []), test])
        }
        if (kind === 'survived') this.#note(id, 'survived')
        // The first of a process, so nothing was before it: it is this one that fails.
        if (kind === 'killed' || (kind === 'unsure' && over.size === 0))
          this.#note(id, 'killed', `${name}: ${by}`)
        else if (kind === 'unsure') again = id
        if (['survived', 'killed', 'unsure'].includes(kind)) over.add(id)
      })
      if (hung !== undefined) this.#note(hung, 'killed', `${name}: no end`)
      over.add(hung)
      if (done) return
      if (!unsure && hung === undefined) return this.#say(`${name} could not be run:\n${said}`)
      wanted = wanted.filter((id) => !over.has(id) && reached?.has(id))
      if (again !== undefined) wanted.unshift(again)
    }
  }

  /** What is run when a file is loaded, with files that are loaded anew for each. */
  async fromTheStart() {
    for (const id of this.#open()) {
      const tests = [...new Set(this.#atLoad.get(id) ?? [])].slice(0, FILES_AT_LOAD)
      if (tests.length === 0) continue
      const fails = () => failsFromTheStart(this.#root, tests, id, this.#env)
      // Twice: a busy machine makes tests fail as well.
      const failed = (await fails()) && (await fails())
      this.#note(id, failed ? 'killed' : 'survived', 'from the start')
    }
  }
}
