import { fixedSeedTests } from './core/fixed-seed.js'
import { FORWARDING_TARGETS } from './targets/forwarding.js'
import { SOCKS_TARGETS } from './targets/socks.js'
import { X11_TARGETS } from './targets/x11.js'

describe('forwarding, whatever is asked for', () => {
  fixedSeedTests('survives what clients ask for, and leaves nothing open', FORWARDING_TARGETS)
  fixedSeedTests('survives what programs ask a SOCKS server for, and leaves nothing open', SOCKS_TARGETS)
  fixedSeedTests('lets in no program of X11 that does not know the cookie', X11_TARGETS)
})
