import type { Logger } from '../core/log.js'
import type { JobInside } from '../job/inside.js'
import type { OfferedKey } from '../ssh/authentication.js'
import type { Connection } from '../ssh/connection.js'
import type { Transport } from '../ssh/transport.js'
import { writeAuthenticationInfo } from './authentication-info.js'
import { Forwarding } from './forwarding/forwarding.js'
import { keepAlive } from './keep-alive.js'
import type { Rules } from './rules.js'
import { endUnused } from './unused.js'

/** A client that has authenticated, and what there is for it until it leaves. */
export interface Client {
  readonly rules: Rules
  readonly forwarding: Forwarding
  /** Variables of its sessions. Undefined: none, without waiting for them. */
  readonly environment: Promise<ReadonlyMap<string, Buffer>> | undefined
  /** Resolves once nothing is left of it, and never rejects. */
  leave(): Promise<void>
}

export function letClientIn(
  transport: Transport,
  connection: Connection,
  { rules, key, inside, log }: { rules: Rules; key: OfferedKey; inside: JobInside; log: Logger },
): Client {
  if (rules.rekey !== undefined) transport.limitKeys(rules.rekey)
  const forwarding = new Forwarding(connection, rules, { inside, log })
  const stopAsking = rules.keepAlive && keepAlive(transport, connection, rules.keepAlive)
  const stopWatching =
    rules.unusedMs === undefined ? undefined : endUnused(transport, connection, rules.unusedMs)
  const info = rules.authenticationInfo === true ? writeAuthenticationInfo(key, inside, log) : undefined
  return {
    rules,
    forwarding,
    environment: info?.then((made) => new Map(made && [['SSH_USER_AUTH', Buffer.from(made.file)]])),
    async leave() {
      stopAsking?.()
      stopWatching?.()
      await Promise.all([forwarding.close(), info?.then((made) => made?.remove())])
    },
  }
}
