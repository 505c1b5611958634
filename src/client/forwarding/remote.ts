import type { Socket } from 'node:net'
import { asError, messageOf, SshjobError } from '../../core/errors.js'
import { formatAddress } from '../../core/format-address.js'
import { connectTcp } from '../../sockets/tcp.js'
import { connectUnix } from '../../sockets/unix.js'
import type { Channel } from '../../ssh/channel.js'
import type { Connection, OpenAnswer } from '../../ssh/connection.js'
import { joinStream } from '../../ssh/join.js'
import { tcpName, unixName } from '../../ssh/listener-names.js'
import { OPEN_FAILURE, Reader, string, uint32 } from '../../ssh/wire.js'
import { count, forwardingOf, type Passage } from './listen.js'
import { serveSocks } from './socks.js'
import type { Endpoint, Forwarding, ForwardOptions, ListenAt } from './types.js'
import { type AllowedDisplay, ForwardedDisplays, type X11Display } from './x11.js'

interface Target extends Passage {
  /** Where each connection leads; 'socks': where it asks for, as a client of a SOCKS server. */
  to: Endpoint | 'socks'
  onFailure: ForwardOptions['onFailure']
}

/** What the server opens channels for: sockets in the job that we asked for, and the agent. */
export class IncomingChannels {
  /** By what the server names in its channels. */
  readonly #targets = new Map<string, Target>()
  /** Requests for a port of the server's choice: its first connection may come before we have read which. */
  readonly #asking = new Set<Promise<unknown>>()
  /** The sockets of agents, of the sessions that may use one. */
  readonly #agents = new Set<{ path: string }>()
  readonly #displays = new ForwardedDisplays()

  /** From now on, until the session ends, the server may connect to the agent at this socket. */
  allowAgent(path: string): { forbid(): void } {
    const agent = { path }
    this.#agents.add(agent)
    return { forbid: () => void this.#agents.delete(agent) }
  }

  /** From now on, until the session ends, the server may connect to this display, for who knows the cookie. */
  allowDisplay(display: X11Display): Promise<AllowedDisplay> {
    return this.#displays.allow(display)
  }

  /** Undefined for a type that we know nothing of. */
  open(type: string, data: Reader): OpenAnswer | Promise<OpenAnswer> | undefined {
    switch (type) {
      case 'forwarded-tcpip': {
        const host = data.text()
        return this.#openTarget(tcpName(data.uint32(), host))
      }
      case 'forwarded-streamlocal@openssh.com':
        return this.#openTarget(unixName(data.text()))
      case 'auth-agent@openssh.com': {
        // Which session asks, the server does not say.
        const agent = [...this.#agents].at(-1)
        return agent && connect(agent)
      }
      case 'x11':
        return this.#displays.open()
      default:
        return undefined
    }
  }

  /** `ssh -R`: each connection to `from` in the job is one to `to` from here, or to where it asks for. */
  async forward(
    connection: Connection,
    from: ListenAt,
    to: Endpoint | 'socks',
    { onFailure }: ForwardOptions,
  ): Promise<Forwarding> {
    const asking = this.#ask(connection, from, { to, onFailure, connections: 0 })
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
      return this.#add(connection, unixName(from.path), target, { path: from.path }, cancel)
    }
    // As ssh(1): none stands for loopback, which is 'localhost' on the wire.
    const { host = 'localhost' } = from
    const data = await connection.request('tcpip-forward', string(host), uint32(from.port))
    if (data === undefined) throw refused(formatAddress(host, from.port))
    const port = from.port === 0 ? readPort(data) : from.port
    const cancel = ['cancel-tcpip-forward', string(host), uint32(port)] as const
    return this.#add(connection, tcpName(port, host), target, { host, port }, cancel)
  }

  #add(
    connection: Connection,
    name: string,
    target: Target,
    address: Endpoint,
    cancel: readonly [string, ...Buffer[]],
  ): Forwarding {
    this.#targets.set(name, target)
    return forwardingOf(address, target, async () => {
      if (this.#targets.get(name) !== target) return
      await connection.request(...cancel)
      this.#targets.delete(name)
    })
  }

  async #openTarget(name: string): Promise<OpenAnswer> {
    if (!this.#targets.has(name)) await Promise.allSettled(this.#asking)
    const target = this.#targets.get(name)
    if (target === undefined)
      return {
        refuse: OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED,
        message: 'this forwarding was not asked for',
      }
    if (target.to === 'socks') return { accept: (channel) => connectAsAsked(channel, target) }
    return connect(target.to, target)
  }
}

async function connect(to: Endpoint, target?: Target): Promise<OpenAnswer> {
  try {
    const socket = await connectTo(to, target)
    return { accept: (channel) => joinStream(channel, socket), abandon: () => socket.destroy() }
  } catch (error) {
    target?.onFailure?.(asError(error))
    return { refuse: OPEN_FAILURE.CONNECT_FAILED, message: messageOf(error) }
  }
}

/** Never rejects, and throws nothing: the channel is closed where it fails. */
function connectAsAsked(channel: Channel, target: Target): void {
  const { input, output } = channel
  channel.inputExtended.resume()
  output.on('error', () => undefined)
  const serve = async (): Promise<void> => {
    const client = { input, output, close: () => output.end(() => channel.close()) }
    const socket = await serveSocks(client, (to) => connectTo(to, target))
    if (channel.isClosed) socket?.destroy()
    else if (socket !== undefined) joinStream(channel, socket)
  }
  serve().catch((error: unknown) => target.onFailure?.(asError(error)))
}

async function connectTo(to: Endpoint, target?: Target): Promise<Socket> {
  const socket = await (to.path === undefined ? connectTcp(to.host, to.port) : connectUnix(to.path))
  if (target !== undefined) count(target, socket)
  return socket.on('error', () => undefined)
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
