import { join } from 'node:path'
import { casesIn, readCase } from './core/case-file.js'
import { withTarget } from './core/fixed-seed.js'
import { TARGETS } from './targets/all.js'

/** What `npm run fuzz` has found, and what has been mended since. */
const FOUND = join(__dirname, 'found')

describe('a case that has failed once', () => {
  it.each(casesIn(FOUND))('%s fails no more', async (name) => {
    const { target: wanted, script } = readCase(join(FOUND, name))
    const target = TARGETS.find((one) => one.name === wanted)
    if (target === undefined) throw new Error(`${name} is for ${wanted}, which there is not`)
    expect(target.outcomes).toContain(await withTarget(target, (run) => run(script)))
  })
})
