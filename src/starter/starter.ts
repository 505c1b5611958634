import { setMaxListeners } from 'node:events'
import type { Duplex } from 'node:stream'
import { closeGently } from '../core/close-gently.js'
import { asSshjobError, type ErrorCode, SshjobError } from '../core/errors.js'
import { MAX_SESSIONS, MAX_STARTUPS, SESSIONS_END_TIMEOUT_MS } from '../core/limits.js'
import { type Logger, silent } from '../core/log.js'
import { orAbort } from '../core/or-abort.js'
import { waitNoLonger, withinTime } from '../core/within-time.js'
import { receiveClientHello, refuseHello } from '../hello/exchange.js'
import type { ClientHello } from '../hello/messages.js'
import type { Job } from '../job/job.js'
import { type ForwardingOptions, starterPermissions } from '../permissions/forwarding-options.js'
import type { Rules } from '../server/rules.js'
import type { ConnectionSettings, Served } from '../server/types.js'
import { type Handover, makeHandover } from './handover.js'
import { answerQuestion } from './question.js'
import { type HandoverOptions, refuseMore, serveHandover } from './serve-handover.js'

/** The way that a connection has come. */
export interface Origin {
  path: 'unix' | 'tcp' | 'tls' | 'reverse' | 'relay' | 'engine'
  /** Both ends where they have addresses, as SSH_CONNECTION has them: '192.0.2.7 53422 192.0.2.1 22'. */
  peer?: string
}

/**
 * Decides what whoever says this hello may do, by the capability in it or by how it has come.
 * @throws SshjobError what the client is to be refused with
 */
export type Admit = (hello: ClientHello, origin: Origin) => Rules | Promise<Rules>

export interface StarterOptions {
  /** SSH connections at a time. Default: MAX_SESSIONS. */
  maxSessions?: number
  /** Connections that have not authenticated, at a time. Default: MAX_STARTUPS. */
  maxStartups?: number
  /** What each connection is served with. */
  serveOptions?: Omit<ConnectionSettings, 'peer'> & ForwardingOptions
  /** Default: whoever comes may do what the options say. It is the socket then that keeps others out. */
  admit?: Admit
  log?: Logger
  /** Called for each session that is served here: what looks on at it. */
  observer?: NonNullable<HandoverOptions['observer']>
  /** Serves one connection, its hello answered first. Default: serveHandover(). */
  serve?: (stream: Duplex, job: Job, handover: Handover, options: HandoverOptions) => Served
}

export interface FinishOptions {
  /** How long open sessions may go on: milliseconds, or until the last has closed. Default: 0. */
  lingerMs?: number | 'forever'
  /** Ends them now when aborted. */
  signal?: AbortSignal
}

/** Serves sessions into one job on the streams that it is given. */
export interface Starter {
  /** Connections that were handed on, authenticated or not yet. */
  readonly sessions: number
  /** A connection that may enter the job, from its first byte on. Never throws: what goes wrong, its client is told. */
  accept(stream: Duplex, origin: Origin): void
  /** The job runs: until now clients were told to try again. */
  begin(job: Job): void
  /**
   * The job is over, or can't be entered any more: new clients are refused with this reason, and open sessions are
   * told it and ended, at once or later. Resolves when none is left, or SESSIONS_END_TIMEOUT_MS after they were told.
   */
  finish(reason: SshjobError, options?: FinishOptions): Promise<void>
}

/** Nothing that a client does disturbs the job, other sessions, or this process. */
export function startStarter(options: StarterOptions = {}): Starter {
  return new StreamStarter(options)
}

/** How much of it the log has where a client is refused. */
const REFUSALS: Partial<Record<ErrorCode, 'debug' | 'info'>> = {
  // Whoever only looks whether somebody listens here says nothing and goes.
  'connection-lost': 'debug',
  // Whoever waits for the job comes again and again.
  'job-not-started': 'info',
}

class StreamStarter implements Starter {
  readonly #options: StarterOptions
  readonly #log: Logger
  readonly #serve: NonNullable<StarterOptions['serve']>
  readonly #admit: Admit
  readonly #settings: ConnectionSettings
  readonly #sessions = new Set<Served>()
  readonly #ending = new AbortController()
  #state: { job: Job } | { refusal: SshjobError } = {
    refusal: new SshjobError('job-not-started', 'The job has not started yet.', { retry: true }),
  }
  /** Connections that have said no hello yet, and those that are being refused. */
  #greeting = 0
  #refusing = 0
  #flooded = false

  constructor(options: StarterOptions) {
    this.#options = options
    this.#log = options.log ?? silent
    this.#serve = options.serve ?? serveHandover
    const { forwarding, permitOpen, permitListen, ...settings } = options.serveOptions ?? {}
    this.#settings = settings
    const rules: Rules = { permissions: [starterPermissions(options.serveOptions ?? {})] }
    this.#admit = options.admit ?? (() => rules)
    // One listener for each connection in its hello: their number has its own limit.
    setMaxListeners(0, this.#ending.signal)
  }

  get sessions(): number {
    return this.#sessions.size
  }

  accept(stream: Duplex, origin: Origin): void {
    // From here on there is always a listener: an 'error' that nobody hears ends the process.
    stream.on('error', (error) => this.#log.debug({ err: error }, 'connection failed'))
    if (this.#isFull()) return this.#turnAway(stream)
    this.#greeting += 1
    this.#greet(stream, origin)
      .catch((error: unknown) => this.#refuse(stream, error))
      .finally(() => {
        this.#greeting -= 1
      })
  }

  begin(job: Job): void {
    this.#state = { job }
  }

  async finish(reason: SshjobError, { lingerMs = 0, signal }: FinishOptions = {}): Promise<void> {
    this.#state = { refusal: reason }
    // Those in the middle of their hello learn it as well.
    this.#ending.abort(reason)
    if (lingerMs !== 0 && signal?.aborted !== true) {
      const over = orAbort(this.#allClosed(), signal).catch(() => undefined) // aborted: no longer waited for
      await (lingerMs === 'forever' ? over : withinTime(over, lingerMs, waitNoLonger))
    }
    for (const session of this.#sessions) session.end(reason).catch((error: unknown) => this.#failed(error))
    await withinTime(this.#allClosed(), SESSIONS_END_TIMEOUT_MS, waitNoLonger)
  }

  async #allClosed(): Promise<void> {
    while (this.#sessions.size > 0) await Promise.all([...this.#sessions].map((session) => session.closed))
  }

  #isFull(): boolean {
    const { maxStartups = MAX_STARTUPS } = this.#options
    const unauthenticated = [...this.#sessions].filter((session) => !session.authenticated).length
    return this.#greeting + unauthenticated >= maxStartups
  }

  /** One line in the log for each flood, not for each connection: it goes to the job's stderr by default. */
  #turnAway(stream: Duplex): void {
    if (!this.#flooded) {
      this.#log.warn(
        { waiting: this.#greeting },
        'too many connections that have not authenticated: refusing more',
      )
    }
    this.#flooded = true
    const { maxStartups = MAX_STARTUPS } = this.#options
    // Saying no politely takes a moment; past this many at a time they are just closed.
    if (this.#refusing >= maxStartups) stream.destroy()
    else this.#sayNo(stream, busy('Too many connections have not authenticated yet'))
  }

  async #greet(stream: Duplex, origin: Origin): Promise<void> {
    const { signal } = this.#ending
    const hello = await receiveClientHello(stream, { signal })
    this.#flooded = false
    refuseMore(stream)
    if (hello.publicKey === undefined) return answerQuestion(stream, this.#jobNow(), { signal })
    this.#jobNow()
    const rules = await this.#admit(hello, origin)
    // It may have ended meanwhile, and others may have come.
    const job = this.#jobNow()
    const { maxSessions = MAX_SESSIONS, observer } = this.#options
    if (this.#sessions.size >= maxSessions) throw busy(`All ${maxSessions} sessions of this job are taken`)
    const settings = { ...this.#settings, ...(origin.peer === undefined ? {} : { peer: origin.peer }) }
    const handover = makeHandover(hello, { job, rules, settings })
    this.#keep(stream, this.#serve(stream, job, handover, { ...(observer && { observer }), log: this.#log }))
  }

  /** @throws SshjobError why it can't be entered now */
  #jobNow(): Job {
    if ('refusal' in this.#state) throw this.#state.refusal
    return this.#state.job
  }

  #keep(stream: Duplex, session: Served): void {
    this.#sessions.add(session)
    void session.closed.then((cause) => {
      this.#sessions.delete(session)
      const fields = { code: cause?.code, cause: cause?.message }
      if (cause?.code === 'authentication-failed') this.#log.warn(fields, 'client refused')
      else this.#log.info(fields, 'session ended')
      void closeGently(stream)
    })
  }

  #refuse(stream: Duplex, error: unknown): void {
    const reason = asSshjobError(error)
    this.#log[REFUSALS[reason.code] ?? 'warn']({ code: reason.code, cause: reason.message }, 'client refused')
    this.#sayNo(stream, reason)
  }

  #sayNo(stream: Duplex, reason: SshjobError): void {
    this.#refusing += 1
    void refuseHello(stream, reason).finally(() => {
      this.#refusing -= 1
    })
  }

  #failed(error: unknown): void {
    this.#log.error({ err: error }, 'ending a session failed')
  }
}

function busy(what: string): SshjobError {
  return new SshjobError('busy', `${what}: try again later.`, { retry: true })
}
