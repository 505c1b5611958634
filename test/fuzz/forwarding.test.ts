import { fixedSeedTests } from './core/fixed-seed.js'
import { FORWARDING_TARGETS } from './targets/forwarding.js'
import { SOCKS_TARGETS } from './targets/socks.js'
import { X11_TARGETS } from './targets/x11.js'

describe('forwarding, whatever is asked for', () => {
  fixedSeedTests([...FORWARDING_TARGETS, ...SOCKS_TARGETS, ...X11_TARGETS])
})
