import { hostname } from 'node:os'
import type { Duplex } from 'node:stream'
import { deferred } from '../core/deferred.js'
import { abortError, SshjobError } from '../core/errors.js'
import { type Logger, silent } from '../core/log.js'
import { onAbort } from '../core/on-abort.js'
import { type JobInside, nothingInside } from '../job/inside.js'
import type { Job } from '../job/job.js'
import { acceptKeys } from '../ssh/authentication.js'
import { Connection, type OpenAnswer } from '../ssh/connection.js'
import { Transport } from '../ssh/transport.js'
import { OPEN_FAILURE } from '../ssh/wire.js'
import { type Admission, unlessExpired } from './admission.js'
import { type Client, letClientIn } from './client.js'
import { hostKeyRotation } from './host-key-rotation.js'
import type { Rules } from './rules.js'
import { Session, type SessionContext } from './session.js'
import { SftpConnection } from './sftp/sftp-connection.js'
import type { ConnectionOptions, Served } from './types.js'

/** What sshd says when the peer has no address: SSH_CONNECTION is what programs look at to know they are remote. */
const UNKNOWN_PEER = 'UNKNOWN 65535 UNKNOWN 65535'

/** Of a job that says nothing of them. */
const NOTHING = 'This job offers neither its files nor its network to sessions.'

/** One connection that is served. */
export class ServedConnection implements Served {
  readonly closed: Promise<SshjobError | undefined>
  readonly #stream: Duplex
  readonly #job: Job
  readonly #options: ConnectionOptions
  readonly #log: Logger
  readonly #sessions = new Set<Session>()
  /** Sessions that are about to be opened. */
  #waiting = 0
  readonly #inside: JobInside
  readonly #sftp = new SftpConnection()
  #transport: Transport | undefined
  #connection: Connection | undefined
  #noMoreSessions = false
  readonly #closing = deferred<SshjobError | undefined>()
  #over = false

  constructor(stream: Duplex, job: Job, admission: Admission, options: ConnectionOptions) {
    this.#stream = stream
    this.#job = job
    this.#inside = job.inside?.() ?? nothingInside(NOTHING)
    this.#options = options
    this.#log = options.log ?? silent
    this.closed = this.#closing.promise
    // Until the transport listens, an error of the stream would end the process.
    stream.on('error', (error) => this.#log.debug({ err: error }, 'stream failed'))
    const { signal } = options
    if (signal?.aborted) {
      stream.destroy()
      this.#finish(abortError(signal))
      return
    }
    void this.closed.then(onAbort(signal, (reason) => void this.end(reason)))
    const { transport, connection } = this.#start(admission)
    this.#transport = transport
    this.#connection = connection
  }

  get authenticated(): boolean {
    return this.#transport?.authenticated ?? false
  }

  get channels(): number {
    return this.#connection?.channels.size ?? 0
  }

  async end(reason: SshjobError): Promise<void> {
    for (const session of this.#sessions) session.tell(`sshjob-server: ${reason.message}`)
    this.#transport?.close(reason)
    await this.closed
  }

  #start(admission: Admission): { transport: Transport; connection: Connection } {
    const { hostKeys, algorithms, login, loginGraceMs } = admission
    const giveUp = (): void => {
      const cause = new SshjobError('authentication-failed', 'The client did not authenticate in time.')
      transport.close(cause)
    }
    const grace = loginGraceMs > 0 ? setTimeout(giveUp, loginGraceMs).unref() : undefined
    let letIn: Client | undefined
    const transport: Transport = new Transport({
      stream: this.#stream,
      side: { role: 'server', hostKeys },
      ...(algorithms === undefined ? {} : { algorithms }),
      handlers: acceptKeys<Rules>({
        login: (user) => unlessExpired(login(user)),
        binding: () => transport.binding,
        end: {
          close: (cause, reason) => transport.close(cause, reason),
          send: (...parts) => transport.send(...parts),
        },
        onAuthenticated: (rules, user, key) => {
          clearTimeout(grace)
          transport.authenticated = true
          letIn = letClientIn(transport, connection, { rules, key, inside: this.#inside, log: this.#log })
          rotation?.announce()
          this.#log.info({ client: transport.peerSoftware, user }, 'client authenticated')
        },
      }),
      onReady: () => undefined,
      onMessage: (type, payload) => connection.receive(type, payload),
      onClosed: (cause) => {
        clearTimeout(grace)
        clearInterval(idle)
        connection.finish(cause)
        this.#finish(cause, letIn?.leave())
      },
      log: this.#log,
    })
    // The transport lets no message of theirs through before the client is in.
    const connection = new Connection(transport, {
      onChannelOpen: (type, data) => letIn?.forwarding.open(type, data) ?? this.#openChannel(type, letIn),
      onGlobalRequest: (name, data) =>
        letIn?.forwarding.request(name, data) ?? rotation?.request(name, data) ?? this.#globalRequest(name),
    })
    const rotation =
      admission.announcesHostKeys === true ? hostKeyRotation(transport, connection, hostKeys) : undefined
    const idle = this.#watchIdle(transport)
    return { transport, connection }
  }

  #openChannel(type: string, client: Client | undefined): OpenAnswer | Promise<OpenAnswer> {
    if (type !== 'session' || client === undefined) {
      return {
        refuse: OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE,
        message: `channels of type ${type} are not served here`,
      }
    }
    if (this.#noMoreSessions) {
      return { refuse: OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, message: 'you asked for no more sessions' }
    }
    const { maxSessions } = client.rules
    const open = [...this.#sessions].filter((session) => session.isOpen).length
    if (maxSessions !== undefined && open + this.#waiting >= maxSessions) {
      return { refuse: OPEN_FAILURE.RESOURCE_SHORTAGE, message: `more than ${maxSessions} sessions are open` }
    }
    if (client.environment === undefined) return this.#acceptSession(client, new Map())
    this.#waiting += 1
    return client.environment.then((variables) => {
      this.#waiting -= 1
      return this.#acceptSession(client, variables)
    })
  }

  #acceptSession(client: Client, variables: ReadonlyMap<string, Buffer>): OpenAnswer {
    return {
      accept: (channel) => {
        const session = new Session(channel, this.#sessionContext(client, variables))
        this.#sessions.add(session)
        void channel.closed.then(() => session.terminate()).then(() => this.#sessions.delete(session))
      },
    }
  }

  #globalRequest(name: string): boolean {
    switch (name) {
      case 'keepalive@openssh.com':
        return true
      case 'no-more-sessions@openssh.com':
        this.#noMoreSessions = true
        return true
      default:
        return false
    }
  }

  #sessionContext({ rules, forwarding }: Client, variables: ReadonlyMap<string, Buffer>): SessionContext {
    const { motd, shells = [], peer = UNKNOWN_PEER } = this.#options
    const [address, port, , serverPort] = peer.split(' ')
    return {
      job: this.#job,
      inside: this.#inside,
      environment: new Map([
        ['SSH_CONNECTION', Buffer.from(peer)],
        ['SSH_CLIENT', Buffer.from(`${address} ${port} ${serverPort}`)],
        ...variables,
      ]),
      shells,
      greeting: () => greet(motd, this.#job),
      rules,
      forwarding,
      sftp: this.#sftp,
      observer: this.#options.observer,
      log: this.#log,
    }
  }

  #watchIdle(transport: Transport): NodeJS.Timeout | undefined {
    const limit = this.#options.idleTimeoutMs ?? 0
    if (limit === 0) return undefined
    const check = (): void => {
      if (Date.now() - transport.lastTraffic < limit) return
      void this.end(
        new SshjobError('idle-timeout', `The session was idle for ${limit / 1000} s and is ended.`),
      )
    }
    return setInterval(check, Math.max(10, Math.min(limit / 4, 10_000))).unref()
  }

  #finish(cause: SshjobError | undefined, leaving?: Promise<void>): void {
    if (this.#over) return
    this.#over = true
    const left = [...this.#sessions].map((session) => session.terminate())
    void Promise.allSettled([...left, leaving]).then(() => {
      this.#log.debug({ cause: cause?.code }, 'connection closed')
      this.#closing.resolve(cause)
    })
  }
}

function greet(motd: ConnectionOptions['motd'], job: Job): string {
  if (motd === false) return ''
  return typeof motd === 'function' ? motd() : (motd ?? welcome(job))
}

/** As condor_ssh_to_job greets. */
function welcome(job: Job): string {
  const pids = job.pids().join(' ')
  const running = pids === '' ? 'is running' : `is running with pid(s) ${pids}`
  return `Welcome to ${hostname()}!\nYour job ${job.id} ${running}.\n`
}
