import { fixedSeedTests } from './core/fixed-seed.js'
import { COPY_TARGETS } from './targets/copy.js'
import { SFTP_CLIENT_TARGETS } from './targets/sftp-client.js'
import { SFTP_SERVER_TARGETS } from './targets/sftp-server.js'

describe('SFTP, whatever the other side says', () => {
  fixedSeedTests('answers every request, or ends, and leaves nothing open', SFTP_SERVER_TARGETS)
  fixedSeedTests('survives what a server of files says', SFTP_CLIENT_TARGETS)
  fixedSeedTests('writes nowhere but where it is to copy to', COPY_TARGETS)
})
