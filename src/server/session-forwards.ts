import { messageOf } from '../core/errors.js'
import type { Logger } from '../core/log.js'
import type { Reader } from '../ssh/wire.js'
import type { SessionForward } from './forwarding/agent.js'
import type { Forwarding } from './forwarding/forwarding.js'
import { readX11Request } from './forwarding/x11.js'
import type { SessionVariables } from './session-variables.js'

/** What of the client's one session reaches: its agent and its display, each once, until the session ends. */
export class SessionForwards {
  readonly #forwarding: Forwarding
  readonly #variables: SessionVariables
  readonly #log: Logger
  readonly #made = new Map<string, Promise<SessionForward>>()
  #closing: Promise<void> | undefined

  /** Adds to `variables` what says where they are. */
  constructor(forwarding: Forwarding, variables: SessionVariables, log: Logger) {
    this.#forwarding = forwarding
    this.#variables = variables
    this.#log = log
  }

  agent(): boolean | Promise<boolean> {
    return this.#make('agent', this.#forwarding.agentRefusal(), () => this.#forwarding.agent())
  }

  x11(data: Reader): boolean | Promise<boolean> {
    const request = readX11Request(data)
    if (request === undefined) return false
    return this.#make('X11', this.#forwarding.x11Refusal(), () => this.#forwarding.x11(request))
  }

  /** Never rejects: what the job has made of a directory of its own may be there to stay. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    const made = await Promise.allSettled(this.#made.values())
    const closed = await Promise.allSettled(
      made.map((forward) => (forward.status === 'fulfilled' ? forward.value.close() : undefined)),
    )
    for (const end of closed) {
      if (end.status === 'rejected')
        this.#log.warn({ reason: messageOf(end.reason) }, 'what a forwarding has made is left behind')
    }
  }

  #make(
    what: string,
    refusal: string | undefined,
    start: () => Promise<SessionForward>,
  ): boolean | Promise<boolean> {
    const twice = this.#made.has(what) ? 'it was asked for twice' : undefined
    const reason = refusal ?? twice
    if (reason !== undefined || this.#closing !== undefined) return this.#refuse(what, reason)
    const making = start()
    this.#made.set(what, making)
    return making.then(
      ({ environment }) => {
        this.#variables.add(environment)
        return true
      },
      (error: unknown) => this.#refuse(what, messageOf(error)),
    )
  }

  #refuse(what: string, reason: string | undefined): boolean {
    this.#log.info({ what, reason }, 'forwarding refused')
    return false
  }
}
