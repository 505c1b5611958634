import { SshjobError } from '../core/errors.js'
import { MAX_AUTH_TRIES } from '../core/limits.js'
import { SIGNATURE_ALGORITHMS } from './algorithms.js'
import { type Binding, HOSTBOUND, readHostbound } from './hostbound.js'
import { type ParsedKey, parseBlob, publicLine, typeOfBlob } from './keys.js'
import type { Authentication, MessageHandlers, PublicKeyAuth } from './packet-protocol.js'
import { byte, DISCONNECT, MSG, string } from './wire.js'

const USERAUTH = 'ssh-userauth'
const CONNECTION = 'ssh-connection'

/** The transport under a side, as much of it as authentication needs. */
export interface End {
  close(cause: SshjobError, reason?: number): void
  send(...parts: Buffer[]): void
}

/** A key that a client would authenticate with. */
export interface OfferedKey {
  /** What it signs with: 'ssh-ed25519', 'rsa-sha2-512', …. */
  algorithm: string
  /** The public key, as RFC 4253 §6.6 encodes it. */
  blob: Buffer
}

/** What awaits a client that has said its user name. */
export interface Login<Grant> {
  /** Told to the client before it authenticates: RFC 4252 §5.4. */
  banner?: string | undefined
  /** Failed requests after which it is over. Default: MAX_AUTH_TRIES. */
  maxTries?: number
  /** What whoever proves to have this key is given; undefined: it is no key of theirs. */
  authorize(key: OfferedKey): Grant | undefined
}

/** Lets in exactly these keys, under any user name. */
export function onlyKeys<Grant>(keys: readonly ParsedKey[], grant: Grant): (user: string) => Login<Grant> {
  const expected = keys.map((key) => key.getPublicSSH())
  const authorize = ({ algorithm, blob }: OfferedKey): Grant | undefined =>
    expected.some((key) => key.equals(blob)) && SIGNATURE_ALGORITHMS.includes(algorithm) ? grant : undefined
  return () => ({ authorize })
}

interface ServerSide<Grant> {
  login: (user: string) => Login<Grant>
  /** For signatures that are bound to the host key. Default: such are not taken. */
  binding?: () => Binding | undefined
  end: End
  onAuthenticated: (grant: Grant, user: string, key: OfferedKey) => void
}

/** The server's side of RFC 4252: public keys. What a user name means is for `login` to say. */
export function acceptKeys<Grant>({
  login,
  binding,
  end,
  onAuthenticated,
}: ServerSide<Grant>): MessageHandlers {
  let known: { user: string; login: Login<Grant> } | undefined
  let failures = 0
  let done = false
  const close = (code: 'authentication-failed' | 'protocol-error', message: string, reason?: number): void =>
    end.close(new SshjobError(code, message), reason)

  const refuse = (authentication: Authentication, method: string): void => {
    // 'none' is how a client asks for the list of methods (RFC 4252 §5.2): that is no try.
    if (method !== 'none') failures++
    if (failures < (known?.login.maxTries ?? MAX_AUTH_TRIES)) return authentication.refuse(['publickey'])
    close(
      'authentication-failed',
      'Too many failed attempts to authenticate.',
      DISCONNECT.NO_MORE_AUTH_METHODS,
    )
  }
  /** The algorithm and the key are said as they came, by whichever method: RFC 4252 §7. */
  const encourage = (authentication: Authentication, { algorithm, blob }: OfferedKey): void => {
    authentication.skipAnswer()
    end.send(byte(MSG.USERAUTH_PK_OK), string(algorithm), string(blob))
  }
  /** False where the client may not go on. */
  const meet = (user: string): boolean => {
    if (known !== undefined) return known.user === user
    known = { user, login: login(user) }
    const { banner = '' } = known.login
    if (banner !== '') end.send(byte(MSG.USERAUTH_BANNER), string(banner), string(''))
    return true
  }
  return {
    serviceRequest: (authentication, name) => {
      if (name === USERAUTH || (name === CONNECTION && done)) authentication.acceptService(name)
      else close('protocol-error', 'The client asked for a service that there is not.')
    },
    request: (authentication, { user, service, method, data }) => {
      if (done) return // RFC 4252 §5.1: requests after the success are ignored
      // RFC 4252 §5: a server that does not want to begin anew has to disconnect.
      if (!meet(user))
        return close('protocol-error', 'The client changed the user name while it authenticated.')
      const asked = service === CONNECTION ? readRequest({ user, service, method, data }, binding) : undefined
      if (asked?.key === undefined || known === undefined) return refuse(authentication, method)
      const key = { algorithm: algorithmOf(asked), blob: Buffer.from(asked.key) }
      const type = typeOfBlob(key.blob)
      // An algorithm that is not the key's would be judged by its name, and another would verify.
      const grant = type === asked.keyAlgo ? known.login.authorize(key) : undefined
      if (grant === undefined) return refuse(authentication, method)
      if (asked.signature === undefined) return encourage(authentication, key)
      if (!isSigned(asked)) return refuse(authentication, method)
      done = true
      authentication.accept()
      onAuthenticated(grant, user, key)
    },
  }
}

/** What is asked for, by either of the methods that use a public key. */
function readRequest(
  { user, service, method, data }: { user: string; service: string; method: string; data: unknown },
  binding: ServerSide<never>['binding'],
): PublicKeyAuth | undefined {
  if (method === 'publickey') return isPublicKeyAuth(data) ? data : undefined
  const bound = method === HOSTBOUND ? binding?.() : undefined
  return bound && Buffer.isBuffer(data) ? readHostbound({ user, service, data }, bound) : undefined
}

function isSigned({ key, blob, signature, hashAlgo }: PublicKeyAuth): boolean {
  const parsed = key && parseBlob(key)
  if (parsed === undefined || blob === undefined || signature === undefined) return false
  return parsed.verify(blob, signature, hashAlgo) === true
}

/** The algorithm as the client named it, which ssh2 takes apart: RFC 8332 §3.2 wants it back in the answer. */
function algorithmOf({ keyAlgo, hashAlgo }: PublicKeyAuth): string {
  return hashAlgo === undefined ? keyAlgo : `rsa-sha2-${hashAlgo.replace('sha', '')}`
}

function isPublicKeyAuth(data: unknown): data is PublicKeyAuth {
  return typeof data === 'object' && data !== null && 'keyAlgo' in data && 'key' in data
}

/** The client's side: offers one key, signed at once, without the probe that stock clients make first. */
export function offerKey(
  username: string,
  privateKey: ParsedKey,
  end: Pick<End, 'close'>,
  onAuthenticated: () => void,
) {
  const rsa = privateKey.type === 'ssh-rsa'
  return {
    serviceAccept: (authentication, name) => {
      if (name !== USERAUTH) return
      const algorithm = rsa ? 'rsa-sha2-256' : undefined
      const publicKey = publicLine(privateKey)
      authentication.request(username, { publicKey, algorithm }, (data, done) => {
        const signature = privateKey.sign(data, rsa ? 'sha256' : undefined)
        if (signature instanceof Error) {
          end.close(new SshjobError('authentication-failed', `The key can't sign: ${signature.message}.`))
          return
        }
        done(signature)
      })
    },
    accepted: onAuthenticated,
    refused: () => {
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
export function requestAuthentication(authentication: Authentication): void {
  authentication.requestService(USERAUTH)
}
