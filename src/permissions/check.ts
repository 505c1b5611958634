import {
  either,
  finite,
  flag,
  listOf,
  name,
  oneOf,
  options as optionsOf,
  port,
  required,
} from '../core/check-options.js'
import type { ForwardingPermissions, Permissions, PermittedPort } from './permissions.js'

const PORTS = either(
  "'all', 'none' or an array of hosts with ports",
  oneOf('all', 'none'),
  listOf(
    optionsOf<PermittedPort>({
      host: required(name),
      port: required(either("a port or '*'", port, oneOf('*'))),
    }),
  ),
)
const PATHS = either("'all', 'none' or an array of paths", oneOf('all', 'none'), listOf(name))

/** That a value from another process is Permissions: all of them said, and none that is not known here. */
export const PERMISSIONS = optionsOf<Permissions>({
  by: required(name),
  shell: required(flag),
  exec: required(flag),
  sftp: required(flag),
  terminal: required(flag),
  forwarding: required(
    optionsOf<ForwardingPermissions>({
      open: required(PORTS),
      openUnix: required(PATHS),
      listen: required(PORTS),
      listenUnix: required(PATHS),
    }),
  ),
  agent: required(flag),
  x11: required(flag),
  watchOnly: required(flag),
  expires: finite,
})
