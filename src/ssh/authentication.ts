import type Protocol from 'ssh2/lib/protocol/Protocol.js'
import type { MessageHandlers, PublicKeyAuth } from 'ssh2/lib/protocol/Protocol.js'
import { SshjobError } from '../core/errors.js'
import { MAX_AUTH_TRIES } from '../core/limits.js'
import type { ParsedKey } from './keys.js'
import { publicLine } from './keys.js'
import { DISCONNECT } from './wire.js'

const USERAUTH = 'ssh-userauth'
const CONNECTION = 'ssh-connection'

interface End {
  close(cause: SshjobError, reason?: number): void
}

/**
 * The server's side of RFC 4252: public-key authentication with exactly one key. The user name is not looked at: a
 * session runs as the job's user whatever it says.
 */
export function acceptKey(clientKey: ParsedKey, end: End, onAuthenticated: () => void): MessageHandlers {
  const expected = clientKey.getPublicSSH()
  let failures = 0
  let done = false
  const refuse = (protocol: Protocol, method: string): void => {
    // 'none' is how a client asks for the list of methods (RFC 4252 §5.2): that is no try.
    if (method !== 'none') failures++
    if (failures < MAX_AUTH_TRIES) {
      protocol.authFailure(['publickey'])
      return
    }
    const error = new SshjobError('authentication-failed', 'Too many failed attempts to authenticate.')
    end.close(error, DISCONNECT.NO_MORE_AUTH_METHODS)
  }
  return {
    SERVICE_REQUEST: (protocol, name) => {
      if (name === USERAUTH || (name === CONNECTION && done)) protocol.serviceAccept(name)
      else end.close(new SshjobError('protocol-error', 'The client asked for a service that there is not.'))
    },
    USERAUTH_REQUEST: (protocol, _user, service, method, data) => {
      if (done) return // RFC 4252 §5.1: requests after the success are ignored
      if (service !== CONNECTION || method !== 'publickey' || !isPublicKeyAuth(data))
        return refuse(protocol, method)
      if (data.key === undefined || !expected.equals(data.key)) return refuse(protocol, method)
      if (data.signature === undefined) return protocol.authPKOK(algorithmOf(data), data.key)
      const sha1 = clientKey.type === 'ssh-rsa' && data.hashAlgo === undefined
      const verified =
        !sha1 &&
        data.blob !== undefined &&
        clientKey.verify(data.blob, data.signature, data.hashAlgo) === true
      if (!verified) return refuse(protocol, method)
      done = true
      protocol.authSuccess()
      onAuthenticated()
    },
  }
}

/** The algorithm as the client named it, which ssh2 takes apart: RFC 8332 §3.2 wants it back in the answer. */
function algorithmOf({ keyAlgo, hashAlgo }: PublicKeyAuth): string {
  return hashAlgo === undefined ? keyAlgo : `rsa-sha2-${hashAlgo.replace('sha', '')}`
}

function isPublicKeyAuth(data: unknown): data is PublicKeyAuth {
  return typeof data === 'object' && data !== null && 'keyAlgo' in data && 'key' in data
}

/** The client's side: offers one key, signed at once, without the probe that stock clients make first. */
export function offerKey(username: string, privateKey: ParsedKey, end: End, onAuthenticated: () => void) {
  const rsa = privateKey.type === 'ssh-rsa'
  return {
    SERVICE_ACCEPT: (protocol, name) => {
      if (name !== USERAUTH) return
      const algorithm = rsa ? 'rsa-sha2-256' : undefined
      protocol.authPK(username, publicLine(privateKey), algorithm, (data, done) => {
        const signature = privateKey.sign(data, rsa ? 'sha256' : undefined)
        if (signature instanceof Error) {
          end.close(new SshjobError('authentication-failed', `The key can't sign: ${signature.message}.`))
          return
        }
        done(signature)
      })
    },
    USERAUTH_SUCCESS: onAuthenticated,
    USERAUTH_FAILURE: () => {
      end.close(
        new SshjobError(
          'authentication-failed',
          'The server did not accept the key of this session. Try again.',
        ),
      )
    },
  } satisfies MessageHandlers
}

/** What the client asks for once the first key exchange is done. */
export function requestAuthentication(protocol: Protocol): void {
  protocol.service(USERAUTH)
}
