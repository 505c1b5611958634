import type { Duplex } from 'node:stream'
import { deferred } from '../core/deferred.js'
import { asSshjobError, SshjobError } from '../core/errors.js'
import { silent } from '../core/log.js'
import { onAbort } from '../core/on-abort.js'
import { type HelloOptions, refuseHello } from '../hello/exchange.js'
import type { ConnectionOptions, Served } from '../server/types.js'

/** Comes to the connection that is served, or to none where there is nothing more to be done. */
export type Begin = (hello: HelloOptions) => Promise<Served | undefined>

/**
 * A connection from before SSH begins on it: what fails until then, its client gets in the answer to its hello.
 */
export class BegunConnection implements Served {
  readonly closed: Promise<SshjobError | undefined>
  readonly #stream: Duplex
  readonly #closing = deferred<SshjobError | undefined>()
  readonly #abort = new AbortController()
  #served: Served | undefined
  #over = false

  constructor(stream: Duplex, { signal, log = silent }: ConnectionOptions, begin: Begin) {
    this.#stream = stream
    this.closed = this.#closing.promise
    // Until something else listens, an error of the stream would end the process.
    stream.on('error', (error) => log.debug({ err: error }, 'stream failed'))
    void this.closed.then(onAbort(signal, (reason) => void this.end(reason)))
    if (!this.#over) this.#run(begin).catch((error: unknown) => this.#fail(error))
  }

  get authenticated(): boolean {
    return this.#served?.authenticated ?? false
  }

  get channels(): number {
    return this.#served?.channels ?? 0
  }

  async end(reason: SshjobError): Promise<void> {
    if (this.#served === undefined) this.#fail(reason)
    else await this.#served.end(reason)
    await this.closed
  }

  async #run(begin: Begin): Promise<void> {
    const served = await begin({ signal: this.#abort.signal })
    if (served === undefined) return this.#finish(undefined)
    this.#served = served
    // It was to end while the answer was on its way.
    if (this.#over) void served.end(new SshjobError('connection-closed', 'The connection is over.'))
    else this.#finish(await served.closed)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    const cause = asSshjobError(error)
    void refuseHello(this.#stream, cause)
    this.#finish(cause)
  }

  #finish(cause: SshjobError | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#abort.abort(cause)
    this.#closing.resolve(cause)
  }
}
