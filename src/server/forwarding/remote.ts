import type { Duplex } from 'node:stream'
import { messageOf } from '../../core/errors.js'
import { MAX_FORWARD_LISTENERS } from '../../core/limits.js'
import type { Logger } from '../../core/log.js'
import type { ConnectedFrom, JobInside, JobListening, ListenOn } from '../../job/inside.js'
import { refusalOf, type Wish } from '../../permissions/refusal.js'
import type { Connection, RequestAnswer } from '../../ssh/connection.js'
import { joinStream } from '../../ssh/join.js'
import { tcpName, unixName } from '../../ssh/listener-names.js'
import { type Reader, string, uint32 } from '../../ssh/wire.js'
import type { GatewayPorts, Rules } from '../rules.js'
import { readPath } from './local.js'

/** Offers each connection that a socket of the job gets to the client, as a channel of this type. */
export function forwardStream(connection: Connection, stream: Duplex, type: string, ...data: Buffer[]): void {
  stream.on('error', () => undefined)
  // As sshd does with a client that accepts no more: the program in the job sees its connection end.
  if (connection.isFull) {
    stream.destroy()
    return
  }
  connection.open(type, ...data).then(
    (channel) => joinStream(channel, stream),
    () => stream.destroy(),
  )
}

/** Who has connected, as a channel's message says it: RFC 4254 §7.2. */
export const originOf = (from: ConnectedFrom | undefined): [Buffer, Buffer] => [
  string(from?.address ?? ''),
  uint32(from?.port ?? 0),
]

/** What one client listens on in the job: tcpip-forward of RFC 4254 §7.1, and its kin for unix sockets. */
export class RemoteForwards {
  readonly #connection: Connection
  readonly #rules: Rules
  readonly #inside: JobInside
  readonly #log: Logger
  /** By what a client names to cancel it. */
  readonly #listening = new Map<string, JobListening>()
  #starting = 0
  #closed = false
  /** The request before this one, so that each finds what those before it have made. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(connection: Connection, rules: Rules, { inside, log }: { inside: JobInside; log: Logger }) {
    this.#connection = connection
    this.#rules = rules
    this.#inside = inside
    this.#log = log
  }

  listenTcp(data: Reader): Promise<RequestAnswer> {
    const address = data.text()
    const port = data.uint32()
    if (port > 65_535) return Promise.resolve(false)
    return this.#inTurn(async () => {
      const on = placeToListen(address, this.#rules.gatewayPorts)
      let bound = port
      const made = await this.#listen({ kind: 'listen', host: address, port }, () =>
        this.#inside.listen({ port, on }, (stream, from) => {
          // The address as it was asked for: it is how the client knows which of its forwardings this belongs to.
          const target = [string(address), uint32(bound)]
          forwardStream(this.#connection, stream, 'forwarded-tcpip', ...target, ...originOf(from))
        }),
      )
      if (made === undefined) return false
      bound = made.port
      await this.#keep(tcpName(made.port, address), made)
      return port === 0 ? uint32(made.port) : true
    })
  }

  cancelTcp(data: Reader): Promise<RequestAnswer> {
    const address = data.text()
    return this.#cancel(tcpName(data.uint32(), address))
  }

  listenUnix(data: Reader): Promise<RequestAnswer> {
    const path = readPath(data)
    if (path === undefined) return Promise.resolve(false)
    return this.#inTurn(async () => {
      const replace = this.#rules.replacesSockets === true
      const bind = async (): Promise<JobListening> => {
        if (replace) await this.#drop(unixName(path))
        return this.#inside.listen({ path, replace }, (stream) =>
          forwardStream(
            this.#connection,
            stream,
            'forwarded-streamlocal@openssh.com',
            string(path),
            string(''),
          ),
        )
      }
      const made = await this.#listen({ kind: 'listenUnix', path }, bind)
      if (made === undefined) return false
      await this.#keep(unixName(path), made)
      return true
    })
  }

  cancelUnix(data: Reader): Promise<RequestAnswer> {
    return this.#cancel(unixName(readPath(data) ?? ''))
  }

  async close(): Promise<void> {
    this.#closed = true
    const servers = [...this.#listening.values()]
    this.#listening.clear()
    await Promise.all([...servers.map((server) => server.close()), this.#last])
  }

  async #listen(wish: Wish, bind: () => Promise<JobListening>): Promise<JobListening | undefined> {
    const full = this.#listening.size + this.#starting >= MAX_FORWARD_LISTENERS
    const refusal = refusalOf(this.#rules.permissions, wish)
    const reason = refusal ?? (full ? `more than ${MAX_FORWARD_LISTENERS} forwardings` : undefined)
    if (reason !== undefined || this.#closed) {
      // A global request has no room for a sentence: RFC 4254 §4.
      this.#log.warn({ reason }, 'remote forwarding refused')
      return undefined
    }
    this.#starting += 1
    try {
      const made = await bind()
      if (!this.#closed) return made
      await made.close()
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'remote forwarding failed')
    } finally {
      this.#starting -= 1
    }
    return undefined
  }

  #cancel(name: string): Promise<boolean> {
    return this.#inTurn(() => this.#drop(name))
  }

  /** What is listened on is closed with the connection, whatever a client names it. */
  async #keep(name: string, made: JobListening): Promise<void> {
    const before = this.#listening.get(name)
    this.#listening.set(name, made)
    await before?.close()
  }

  /** False where nothing of this name is listened on. */
  async #drop(name: string): Promise<boolean> {
    const made = this.#listening.get(name)
    this.#listening.delete(name)
    await made?.close()
    return made !== undefined
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

/**
 * As sshd with its default, GatewayPorts no: loopback, whatever address a client asks for. The job's neighbours on the
 * network are no part of the session. With 'clientspecified' an empty address is every one, RFC 4254 §7.1.
 */
export function placeToListen(address: string, gatewayPorts: GatewayPorts = 'no'): ListenOn {
  if (address === '127.0.0.1' || address === '::1') return { address }
  if (gatewayPorts === 'no' || address === 'localhost') return 'loopback'
  return gatewayPorts === 'yes' || ['', '*', '0.0.0.0', '::'].includes(address) ? 'everywhere' : { address }
}
