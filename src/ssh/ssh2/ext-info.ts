import type Protocol from 'ssh2/lib/protocol/Protocol.js'
import { HOSTBOUND_EXTENSION } from '../hostbound.js'
import { byte, MSG, string, uint32 } from '../wire.js'

/**
 * Keeps ssh2 from sending its EXT_INFO, whose list of signature algorithms lacks a comma between two names. Call what
 * this returns right after the first key exchange: it sends ours (server-sig-algs, RFC 8308 §3.1) to a client that
 * takes one, and only once.
 */
export function replaceExtInfo(
  protocol: Protocol,
  signatures: readonly string[],
  send: (...parts: Buffer[]) => void,
): () => void {
  let wanted = false
  const complete = protocol._onHandshakeComplete
  protocol._onHandshakeComplete = (negotiated) => {
    const kex = protocol._kex
    if (kex?.remoteExtInfoEnabled === true) {
      kex.remoteExtInfoEnabled = false
      wanted = true
    }
    complete(negotiated)
  }
  return () => {
    if (!wanted) return
    wanted = false
    const { name, value } = HOSTBOUND_EXTENSION
    const algorithms = [string('server-sig-algs'), string(signatures.join(','))]
    send(byte(MSG.EXT_INFO), uint32(2), ...algorithms, string(name), string(value))
  }
}
