import type { Socket } from 'node:net'
import { messageOf, SshjobError } from '../../core/errors.js'
import { connectTcp, formatAddress } from '../../sockets/tcp.js'
import { connectUnix } from '../../sockets/unix.js'
import type { Connection, OpenAnswer } from '../../ssh/connection.js'
import { joinSocket } from '../../ssh/join.js'
import { OPEN_FAILURE, Reader, string, uint32 } from '../../ssh/wire.js'
import { forwardingOf } from './listen.js'
import { checkPort } from './open.js'
import type { Endpoint, Forwarding, ForwardOptions, ListenAt } from './types.js'

interface Target {
  to: Endpoint
  onFailure: ForwardOptions['onFailure']
}

/** What the server opens channels for: sockets in the job that we asked for, and the agent. */
export class IncomingChannels {
  /** By what the server names in its channels. */
  readonly #targets = new Map<string, Target>()
  /** Requests for a port of the server's choice: its first connection may come before we have read which. */
  readonly #asking = new Set<Promise<unknown>>()
  #agent: string | undefined

  /** From now on the server may connect to the agent at this socket: a session was told that it may. */
  allowAgent(path: string): void {
    this.#agent = path
  }

  /** Undefined for a type that we know nothing of. */
  open(type: string, data: Reader): OpenAnswer | Promise<OpenAnswer> | undefined {
    switch (type) {
      case 'forwarded-tcpip': {
        const host = data.text()
        return this.#openTarget(`${data.uint32()} ${host}`)
      }
      case 'forwarded-streamlocal@openssh.com':
        return this.#openTarget(data.text())
      case 'auth-agent@openssh.com':
        return this.#agent === undefined
          ? undefined
          : connect({ to: { path: this.#agent }, onFailure: undefined })
      default:
        return undefined
    }
  }

  /** `ssh -R`: each connection to `from` in the job is one to `to` from here. */
  async forward(
    connection: Connection,
    from: ListenAt,
    to: Endpoint,
    { onFailure }: ForwardOptions,
  ): Promise<Forwarding> {
    if (to.path === undefined) checkPort(to.port, 1)
    const asking = this.#ask(connection, from, { to, onFailure })
    this.#asking.add(asking)
    try {
      return await asking
    } finally {
      this.#asking.delete(asking)
    }
  }

  async #ask(connection: Connection, from: ListenAt, target: Target): Promise<Forwarding> {
    if (from.path !== undefined) {
      const data = await connection.request('streamlocal-forward@openssh.com', string(from.path))
      if (data === undefined) throw refused(from.path)
      const cancel = ['cancel-streamlocal-forward@openssh.com', string(from.path)] as const
      return this.#add(connection, from.path, target, { path: from.path }, cancel)
    }
    checkPort(from.port, 0)
    // As ssh(1): none stands for loopback, which is 'localhost' on the wire.
    const { host = 'localhost' } = from
    const data = await connection.request('tcpip-forward', string(host), uint32(from.port))
    if (data === undefined) throw refused(formatAddress(host, from.port))
    const port = from.port === 0 ? readPort(data) : from.port
    const cancel = ['cancel-tcpip-forward', string(host), uint32(port)] as const
    return this.#add(connection, `${port} ${host}`, target, { host, port }, cancel)
  }

  #add(
    connection: Connection,
    name: string,
    target: Target,
    address: Endpoint,
    cancel: readonly [string, ...Buffer[]],
  ): Forwarding {
    this.#targets.set(name, target)
    return forwardingOf(address, async () => {
      if (this.#targets.get(name) !== target) return
      await connection.request(...cancel)
      this.#targets.delete(name)
    })
  }

  async #openTarget(name: string): Promise<OpenAnswer> {
    if (!this.#targets.has(name)) await Promise.allSettled(this.#asking)
    const target = this.#targets.get(name)
    if (target !== undefined) return connect(target)
    return { refuse: OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, message: 'this forwarding was not asked for' }
  }
}

async function connect({ to, onFailure }: Target): Promise<OpenAnswer> {
  try {
    const socket: Socket = await (to.path === undefined ? connectTcp(to.host, to.port) : connectUnix(to.path))
    socket.on('error', () => undefined)
    return { accept: (channel) => joinSocket(channel, socket), abandon: () => socket.destroy() }
  } catch (error) {
    const message = messageOf(error)
    onFailure?.(error instanceof Error ? error : new SshjobError('internal', message, { cause: error }))
    return { refuse: OPEN_FAILURE.CONNECT_FAILED, message }
  }
}

function readPort(data: Buffer): number {
  if (data.length >= 4) return new Reader(data).uint32()
  throw new SshjobError('protocol-error', 'The server did not say which port it listens on.')
}

function refused(what: string): SshjobError {
  return new SshjobError(
    'request-refused',
    `The server does not listen on ${what} in the job: it is in use there, or not allowed.`,
  )
}
