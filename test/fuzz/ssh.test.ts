import { fixedSeedTests } from './core/fixed-seed.js'
import { CLEAR_TARGETS } from './targets/ssh-clear.js'
import { CLIENT_TARGETS } from './targets/ssh-client.js'
import { SERVER_TARGETS } from './targets/ssh-server.js'

describe('SSH, whatever the other side says', () => {
  fixedSeedTests('survives what is said before there are keys', CLEAR_TARGETS)
  fixedSeedTests('survives what clients say, before and after they authenticate', SERVER_TARGETS)
  fixedSeedTests('survives what a server says', CLIENT_TARGETS)
})
