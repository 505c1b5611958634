import type { Duplex } from 'node:stream'
import { deferred } from '../../src/core/deferred.js'
import type { SshjobError } from '../../src/core/errors.js'
import { silent } from '../../src/core/log.js'
import { acceptKeys, onlyKeys } from '../../src/ssh/authentication.js'
import { hostKeysOf } from '../../src/ssh/host-keys.js'
import { parseKey } from '../../src/ssh/keys.js'
import { Transport } from '../../src/ssh/transport.js'
import { ssh2Of } from './ssh2-protocol.js'

export interface RawServerOptions {
  /** As generateKey() gives them. */
  hostPrivateKey: string
  clientPublicKey: string
  /** False: the client's requests to authenticate are not answered. Default: true. */
  authenticate?: boolean
}

/** A server that says what it likes. */
export interface RawServer {
  transport: Transport
  /** Payloads of every message outside of key exchanges. */
  messages: Buffer[]
  closed: Promise<SshjobError | undefined>
}

export function rawServer(stream: Duplex, options: RawServerOptions): RawServer {
  const messages: Buffer[] = []
  const closing = deferred<SshjobError | undefined>()
  const end = {
    close: (cause: SshjobError, reason?: number) => transport.close(cause, reason),
    send: (...message: Buffer[]) => transport.send(...message),
  }
  const handlers = acceptKeys({
    login: onlyKeys([parseKey(options.clientPublicKey)], {}),
    end,
    onAuthenticated: () => undefined,
  })
  const transport: Transport = new Transport({
    stream,
    side: { role: 'server', hostKeys: hostKeysOf(parseKey(options.hostPrivateKey)) },
    handlers: options.authenticate === false ? {} : handlers,
    onReady: () => undefined,
    onMessage: () => undefined,
    onClosed: (cause) => closing.resolve(cause),
    log: silent,
  })
  // It takes everything that a client says, as if it had authenticated.
  transport.authenticated = true
  const receive = ssh2Of(transport)._onPayload
  ssh2Of(transport)._onPayload = (payload) => {
    messages.push(Buffer.from(payload))
    transport.authenticated = payload[0] === undefined || payload[0] >= 80
    return receive(payload)
  }
  return { transport, messages, closed: closing.promise }
}
