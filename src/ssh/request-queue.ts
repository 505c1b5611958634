import { WAITING_REQUESTS_MAX } from '../core/limits.js'

interface WaitingRequest {
  name: string
  wantReply: boolean
  data: Buffer
}

/** Requests of a channel that wait for the answer to another one. */
export class RequestQueue {
  blocked = false
  readonly #mostBytes: () => number
  readonly #waiting: WaitingRequest[] = []
  #bytes = 0

  constructor(mostBytes: () => number) {
    this.#mostBytes = mostBytes
  }

  add(request: WaitingRequest): void {
    this.#bytes += request.name.length + request.data.length
    if (this.#waiting.length >= WAITING_REQUESTS_MAX || this.#bytes > this.#mostBytes()) {
      throw new RangeError('too many requests wait')
    }
    this.#waiting.push(request)
  }

  take(): WaitingRequest | undefined {
    const request = this.#waiting.shift()
    if (request !== undefined) this.#bytes -= request.name.length + request.data.length
    return request
  }
}
