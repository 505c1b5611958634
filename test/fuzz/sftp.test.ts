import { fixedSeedTests } from './core/fixed-seed.js'
import { COPY_TARGETS } from './targets/copy.js'
import { SFTP_CLIENT_TARGETS } from './targets/sftp-client.js'
import { SFTP_SERVER_TARGETS } from './targets/sftp-server.js'

describe('SFTP, whatever the other side says', () => {
  fixedSeedTests([...SFTP_SERVER_TARGETS, ...SFTP_CLIENT_TARGETS, ...COPY_TARGETS])
})
