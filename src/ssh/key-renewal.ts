import { SshjobError } from '../core/errors.js'
import { KEX_TIMEOUT_MS, REKEY_BYTES, REKEY_MS } from '../core/limits.js'

/** When new keys are exchanged: after bytes in either direction, or after a time. */
export interface RekeyLimits {
  bytes: number
  /** Milliseconds. */
  ms: number
}

/** When keys are exchanged anew (RFC 4253 §9), and how long that may take. */
export class KeyRenewal {
  readonly #begin: () => void
  readonly #fail: (cause: SshjobError) => void
  #bytes = 0
  #limit = REKEY_BYTES
  #next = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout
  #giveUp: NodeJS.Timeout | undefined

  /** @param begin starts an exchange, unless one is running or there is nothing to renew yet */
  constructor(begin: () => void, fail: (cause: SshjobError) => void) {
    this.#begin = begin
    this.#fail = fail
    this.#timer = setInterval(begin, REKEY_MS).unref()
  }

  /** From now on. */
  limit({ bytes, ms }: RekeyLimits): void {
    this.#limit = bytes
    clearInterval(this.#timer)
    this.#timer = setInterval(this.#begin, ms).unref()
  }

  /** The next exchange, and only that, is due after so many bytes already. */
  soon(bytes: number): void {
    this.#next = bytes
  }

  /** Bytes that went in either direction. */
  count(bytes: number): void {
    this.#bytes += bytes
  }

  get isDue(): boolean {
    return this.#bytes >= Math.min(this.#limit, this.#next)
  }

  /** An exchange has begun. */
  started(): void {
    clearTimeout(this.#giveUp)
    this.#giveUp = setTimeout(() => {
      const message = 'The other side did not finish the key exchange in time.'
      this.#fail(new SshjobError('protocol-error', message))
    }, KEX_TIMEOUT_MS).unref()
  }

  /** It is done. */
  finished(): void {
    clearTimeout(this.#giveUp)
    this.#bytes = 0
    this.#next = Number.POSITIVE_INFINITY
  }

  stop(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#giveUp)
  }
}
