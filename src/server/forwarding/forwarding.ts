import { setMaxListeners } from 'node:events'
import type { Logger } from '../../core/log.js'
import type { JobInside } from '../../job/inside.js'
import { refusalOf } from '../../permissions/refusal.js'
import type { Connection, OpenAnswer, RequestAnswer } from '../../ssh/connection.js'
import type { Reader } from '../../ssh/wire.js'
import type { Rules } from '../rules.js'
import { forwardAgent, type SessionForward } from './agent.js'
import { openTcpChannel, openUnixChannel } from './local.js'
import { RemoteForwards } from './remote.js'
import { forwardX11, type X11Request } from './x11.js'

/** The forwardings of one connection: RFC 4254 §7, and OpenSSH's for unix sockets. */
export class Forwarding {
  readonly #connection: Connection
  readonly #rules: Rules
  readonly #remote: RemoteForwards
  readonly #inside: JobInside
  readonly #ending = new AbortController()

  constructor(connection: Connection, rules: Rules, { inside, log }: { inside: JobInside; log: Logger }) {
    this.#connection = connection
    // Each connection that is being made listens; MAX_CHANNELS limits them.
    setMaxListeners(0, this.#ending.signal)
    this.#rules = rules
    this.#inside = inside
    this.#remote = new RemoteForwards(connection, rules, { inside, log })
  }

  /** Undefined for a channel that is no forwarding. */
  open(type: string, data: Reader): OpenAnswer | Promise<OpenAnswer> | undefined {
    const way = { inside: this.#inside, signal: this.#ending.signal }
    switch (type) {
      case 'direct-tcpip':
        return openTcpChannel(data, this.#rules.permissions, way)
      case 'direct-streamlocal@openssh.com':
        return openUnixChannel(data, this.#rules.permissions, way)
      default:
        return undefined
    }
  }

  /** Undefined for a global request that is about no forwarding. */
  request(name: string, data: Reader): Promise<RequestAnswer> | undefined {
    switch (name) {
      case 'tcpip-forward':
        return this.#remote.listenTcp(data)
      case 'cancel-tcpip-forward':
        return this.#remote.cancelTcp(data)
      case 'streamlocal-forward@openssh.com':
        return this.#remote.listenUnix(data)
      case 'cancel-streamlocal-forward@openssh.com':
        return this.#remote.cancelUnix(data)
      default:
        return undefined
    }
  }

  /** Why a session does not get its agent, or undefined. */
  agentRefusal(): string | undefined {
    return refusalOf(this.#rules.permissions, { kind: 'agent' })
  }

  /** Why a session gets no display, or undefined. */
  x11Refusal(): string | undefined {
    return refusalOf(this.#rules.permissions, { kind: 'x11' })
  }

  agent(): Promise<SessionForward> {
    return forwardAgent(this.#connection, this.#inside)
  }

  x11(request: X11Request): Promise<SessionForward> {
    return forwardX11(this.#connection, request, this.#inside, this.#rules.displays)
  }

  /**
   * The connection has ended: what was being connected is given up, and nothing listens any more. Resolves when the
   * names of sockets are gone.
   */
  async close(): Promise<void> {
    this.#ending.abort()
    await this.#remote.close()
  }
}
