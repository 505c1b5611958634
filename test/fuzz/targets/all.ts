import type { Target } from '../core/target.js'
import { COPY_TARGETS } from './copy.js'
import { FORWARDING_TARGETS } from './forwarding.js'
import { HELLO_TARGETS } from './hello.js'
import { PROCESS_TARGETS } from './processes.js'
import { SFTP_CLIENT_TARGETS } from './sftp-client.js'
import { SFTP_SERVER_TARGETS } from './sftp-server.js'
import { SOCKS_TARGETS } from './socks.js'
import { CLEAR_TARGETS } from './ssh-clear.js'
import { CLIENT_TARGETS } from './ssh-client.js'
import { SERVER_TARGETS } from './ssh-server.js'
import { SSHD_TARGETS } from './sshd.js'
import { X11_TARGETS } from './x11.js'

export const TARGETS: readonly Target[] = [
  ...HELLO_TARGETS,
  ...CLEAR_TARGETS,
  ...SERVER_TARGETS,
  ...CLIENT_TARGETS,
  ...FORWARDING_TARGETS,
  ...SOCKS_TARGETS,
  ...X11_TARGETS,
  ...SFTP_SERVER_TARGETS,
  ...SFTP_CLIENT_TARGETS,
  ...COPY_TARGETS,
  ...SSHD_TARGETS,
  ...PROCESS_TARGETS,
]
