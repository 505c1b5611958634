import { fixedSeedTests } from './core/fixed-seed.js'
import { CLEAR_TARGETS } from './targets/ssh-clear.js'
import { CLIENT_TARGETS } from './targets/ssh-client.js'
import { SERVER_TARGETS } from './targets/ssh-server.js'

describe('SSH, whatever the other side says', () => {
  fixedSeedTests([...CLEAR_TARGETS, ...SERVER_TARGETS, ...CLIENT_TARGETS])
})
