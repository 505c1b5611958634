import type Protocol from 'ssh2/lib/protocol/Protocol.js'
import type { MessageHandlers as Ssh2Handlers } from 'ssh2/lib/protocol/Protocol.js'
import type { Authentication, MessageHandlers } from '../packet-protocol.js'

/** What ssh2 can say of authentication. */
export function authenticationOf(protocol: Protocol): Authentication {
  return {
    requestService: (name) => protocol.service(name),
    acceptService: (name) => protocol.serviceAccept(name),
    request: (user, { publicKey, algorithm }, sign) => protocol.authPK(user, publicKey, algorithm, sign),
    accept: () => protocol.authSuccess(),
    refuse: (methods) => protocol.authFailure(methods),
    // For a key that may sign: authPKOK knows one method alone.
    skipAnswer: () => void protocol._authsQueue.shift(),
  }
}

/** The handlers as ssh2 calls them. */
export function ssh2Handlers(handlers: MessageHandlers): Ssh2Handlers {
  return {
    SERVICE_REQUEST: (protocol, name) => handlers.serviceRequest?.(authenticationOf(protocol), name),
    SERVICE_ACCEPT: (protocol, name) => handlers.serviceAccept?.(authenticationOf(protocol), name),
    USERAUTH_REQUEST: (protocol, user, service, method, data) =>
      handlers.request?.(authenticationOf(protocol), { user, service, method, data }),
    USERAUTH_SUCCESS: () => handlers.accepted?.(),
    USERAUTH_FAILURE: () => handlers.refused?.(),
  }
}
