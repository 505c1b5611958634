import type { Duplex } from 'node:stream'
import crypto from 'ssh2/lib/protocol/crypto.js'
import Protocol from 'ssh2/lib/protocol/Protocol.js'
import utils from 'ssh2/lib/protocol/utils.js'
import { deferred } from '../../src/core/deferred.js'
import type { AlgorithmOffer, Negotiated } from '../../src/ssh/algorithms.js'
import { offerKey, requestAuthentication } from '../../src/ssh/authentication.js'
import { parseKey } from '../../src/ssh/keys.js'
import { authenticationOf, ssh2Handlers } from '../../src/ssh/ssh2/authentication.js'

/** ssh2's protocol, authenticated, with algorithms of the test's choice: not our transport, which has its own. */
export interface ProtocolClient {
  negotiated: Negotiated
  /** Sends one message; gives its sequence number. */
  send(payload: Buffer): number
  /** The next message of this type. */
  next(type: number): Promise<Buffer>
}

export async function protocolClient(
  stream: Duplex,
  keys: { privateKey: string; hostKey: string },
  offer: AlgorithmOffer,
): Promise<ProtocolClient> {
  const ready = deferred<Negotiated>()
  const waiting: { type: number; resolve: (payload: Buffer) => void }[] = []
  const fail = (cause: Error): void => ready.reject(cause)
  const authenticated = deferred<void>()
  const protocol: Protocol = new Protocol({
    ident: 'test',
    offer,
    hostVerifier: (key) => key.equals(parseKey(keys.hostKey).getPublicSSH()),
    onWrite: (data) => void stream.write(data),
    onError: fail,
    onHandshakeComplete: (negotiated) => {
      ready.resolve(negotiated)
      requestAuthentication(authenticationOf(protocol))
    },
    messageHandlers: ssh2Handlers(
      offerKey('user', parseKey(keys.privateKey), { close: fail }, () => authenticated.resolve()),
    ),
  })
  const receive = protocol._onPayload
  protocol._onPayload = (payload) => {
    const index = waiting.findIndex(({ type }) => type === payload[0])
    for (const { resolve } of waiting.splice(index, index < 0 ? 0 : 1)) resolve(Buffer.from(payload))
    return receive(payload)
  }
  stream.on('data', (chunk: Buffer) => {
    const copy = Buffer.from(chunk)
    protocol.parse(copy, 0, copy.length)
  })
  stream.on('error', fail)
  stream.on('close', () => fail(new Error('the stream was closed')))
  await crypto.init
  protocol.start?.()
  const negotiated = await ready.promise
  await authenticated.promise
  return {
    negotiated,
    send(payload) {
      const sequence = protocol._cipher.outSeqno
      const packet = protocol._cipher.allocPacket(payload.length)
      packet.set(payload, protocol._packetRW.write.allocStart)
      utils.sendPacket(protocol, packet)
      return sequence
    },
    next: (type) => new Promise((resolve) => waiting.push({ type, resolve })),
  }
}
