import { setMaxListeners } from 'node:events'
import type net from 'node:net'
import type { Duplex } from 'node:stream'
import { type ErrorCode, messageOf, SshjobError } from '../core/errors.js'
import { MAX_SESSIONS, MAX_STARTUPS, SESSIONS_END_TIMEOUT_MS } from '../core/limits.js'
import { type Logger, silent } from '../core/log.js'
import { encodeClientHello } from '../hello/encoding.js'
import { receiveClientHello, refuseHello } from '../hello/exchange.js'
import type { Job } from '../job/job.js'
import { serve as serveStream } from '../server/serve.js'
import type { Served, ServeOptions } from '../server/types.js'
import { closeGently } from '../streams/close.js'

export interface StarterOptions {
  /** Listens already, for connections that may enter the job: whoever reaches it gets in. */
  server: net.Server
  /** SSH connections at a time. Default: MAX_SESSIONS. */
  maxSessions?: number
  /** Connections that have not authenticated, at a time. Default: MAX_STARTUPS. */
  maxStartups?: number
  /** What each connection is served with. */
  serveOptions?: Pick<
    ServeOptions,
    'shells' | 'idleTimeoutMs' | 'motd' | 'forwarding' | 'permitOpen' | 'permitListen' | 'files'
  >
  log?: Logger
  /** Serves one connection. Default: serve(). */
  serve?: (stream: Duplex, job: Job, options: ServeOptions) => Served
}

export interface FinishOptions {
  /** How long open sessions may go on: milliseconds, or until the last has closed. Default: 0. */
  lingerMs?: number | 'forever'
  /** Ends them now when aborted. */
  signal?: AbortSignal
}

/** Serves sessions into one job on a listening server. */
export interface Starter {
  /** Connections that were handed on, authenticated or not yet. */
  readonly sessions: number
  /** The job runs: until now clients were told to try again. */
  begin(job: Job): void
  /**
   * The job is over, or can't be entered any more: new clients are refused with this reason, and open sessions are
   * told it and ended, at once or later. Resolves when none is left, or SESSIONS_END_TIMEOUT_MS after they were told.
   * The server stays the caller's to close.
   */
  finish(reason: SshjobError, options?: FinishOptions): Promise<void>
}

/** Nothing that a client does disturbs the job, other sessions, or this process. */
export function startStarter(options: StarterOptions): Starter {
  return new SocketStarter(options)
}

/** How much of it the log has where a client is refused. */
const REFUSALS: Partial<Record<ErrorCode, 'debug' | 'info'>> = {
  // Whoever only looks whether somebody listens here says nothing and goes.
  'connection-lost': 'debug',
  // Whoever waits for the job comes again and again.
  'job-not-started': 'info',
}

class SocketStarter implements Starter {
  readonly #options: StarterOptions
  readonly #log: Logger
  readonly #serve: NonNullable<StarterOptions['serve']>
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
    this.#serve = options.serve ?? serveStream
    // One listener for each connection in its hello: their number has its own limit.
    setMaxListeners(0, this.#ending.signal)
    options.server.on('connection', (socket) => this.#accept(socket))
    options.server.on('error', (error) => {
      // Why a server can't listen, whoever asked it to learns.
      if (options.server.listening) this.#log.error({ err: error }, 'accepting a connection failed')
    })
  }

  get sessions(): number {
    return this.#sessions.size
  }

  begin(job: Job): void {
    this.#state = { job }
  }

  async finish(reason: SshjobError, { lingerMs = 0, signal }: FinishOptions = {}): Promise<void> {
    this.#state = { refusal: reason }
    // Those in the middle of their hello learn it as well.
    this.#ending.abort(reason)
    if (lingerMs !== 0 && signal?.aborted !== true) {
      await unlessFirst(this.#allClosed(), lingerMs === 'forever' ? undefined : lingerMs, signal)
    }
    for (const session of this.#sessions) session.end(reason).catch((error: unknown) => this.#failed(error))
    await unlessFirst(this.#allClosed(), SESSIONS_END_TIMEOUT_MS)
  }

  async #allClosed(): Promise<void> {
    while (this.#sessions.size > 0) await Promise.all([...this.#sessions].map((session) => session.closed))
  }

  #accept(socket: net.Socket): void {
    // From here on there is always a listener: an 'error' that nobody hears ends the process.
    socket.on('error', (error) => this.#log.debug({ err: error }, 'connection failed'))
    if (this.#isFull()) return this.#turnAway(socket)
    this.#greeting += 1
    this.#greet(socket)
      .catch((error: unknown) => this.#refuse(socket, error))
      .finally(() => {
        this.#greeting -= 1
      })
  }

  #isFull(): boolean {
    const { maxStartups = MAX_STARTUPS } = this.#options
    const unauthenticated = [...this.#sessions].filter((session) => !session.authenticated).length
    return this.#greeting + unauthenticated >= maxStartups
  }

  /** One line in the log for each flood, not for each connection: it goes to the job's stderr by default. */
  #turnAway(socket: net.Socket): void {
    if (!this.#flooded) {
      this.#log.warn(
        { waiting: this.#greeting },
        'too many connections that have not authenticated: refusing more',
      )
    }
    this.#flooded = true
    const { maxStartups = MAX_STARTUPS } = this.#options
    // Saying no politely takes a moment; past this many at a time they are just closed.
    if (this.#refusing >= maxStartups) socket.destroy()
    else this.#sayNo(socket, busy('Too many connections have not authenticated yet'))
  }

  async #greet(socket: net.Socket): Promise<void> {
    const hello = await receiveClientHello(socket, { signal: this.#ending.signal })
    this.#flooded = false
    if ('refusal' in this.#state) throw this.#state.refusal
    const { maxSessions = MAX_SESSIONS, serveOptions = {} } = this.#options
    // A question without a key opens no session, and is answered also when all are taken.
    if (hello.publicKey !== undefined && this.#sessions.size >= maxSessions) {
      throw busy(`All ${maxSessions} sessions of this job are taken`)
    }
    // The server reads the hello itself: given back, as it was understood.
    socket.unshift(encodeClientHello(hello))
    this.#keep(socket, this.#serve(socket, this.#state.job, { ...serveOptions, log: this.#log }))
  }

  #keep(socket: net.Socket, session: Served): void {
    this.#sessions.add(session)
    void session.closed.then((cause) => {
      this.#sessions.delete(session)
      const fields = { code: cause?.code, cause: cause?.message }
      if (cause?.code === 'authentication-failed') this.#log.warn(fields, 'client refused')
      else this.#log.info(fields, 'session ended')
      void closeGently(socket)
    })
  }

  #refuse(socket: net.Socket, error: unknown): void {
    const reason =
      error instanceof SshjobError ? error : new SshjobError('internal', messageOf(error), { cause: error })
    this.#log[REFUSALS[reason.code] ?? 'warn']({ code: reason.code, cause: reason.message }, 'client refused')
    this.#sayNo(socket, reason)
  }

  #sayNo(socket: net.Socket, reason: SshjobError): void {
    this.#refusing += 1
    void refuseHello(socket, reason).finally(() => {
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

/** Waits for the work, but not longer than this, and not after the signal. */
function unlessFirst(work: Promise<void>, timeoutMs?: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(done, timeoutMs)
    signal?.addEventListener('abort', done, { once: true })
    if (signal?.aborted) done()
    else void work.then(done, done)
  })
}
