import { fixedSeedTests } from './core/fixed-seed.js'
import { PROCESS_TARGETS } from './targets/processes.js'

describe('real processes, whatever is asked for', () => {
  fixedSeedTests('leaves none of them behind', PROCESS_TARGETS)
})
