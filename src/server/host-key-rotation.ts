import type { Connection, RequestAnswer } from '../ssh/connection.js'
import { announceHostKeys, PROVE, proveHostKeys } from '../ssh/host-key-proof.js'
import type { HostKey } from '../ssh/host-keys.js'
import type { Transport } from '../ssh/transport.js'
import type { Reader } from '../ssh/wire.js'

/** Tells a client of all host keys, and proves that they are ours: ssh_config(5) UpdateHostKeys. */
export interface HostKeyRotation {
  announce(): void
  /** Undefined for a request that is about something else. */
  request(name: string, data: Reader): RequestAnswer | undefined
}

export function hostKeyRotation(
  transport: Transport,
  connection: Connection,
  hostKeys: readonly HostKey[],
): HostKeyRotation {
  const keys = [...new Set(hostKeys.map(({ key }) => key))]
  return {
    announce() {
      const { name, data } = announceHostKeys(keys)
      connection.notify(name, ...data)
    },
    request(name, data) {
      if (name !== PROVE) return undefined
      const { binding, hostKey } = transport
      if (binding === undefined || hostKey === undefined) return false
      return proveHostKeys(data, keys, { sessionId: binding.sessionId, algorithm: hostKey.algorithm })
    },
  }
}
