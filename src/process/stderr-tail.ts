import { COMMAND_STDERR_BYTES } from '../core/limits.js'

/** The last COMMAND_STDERR_BYTES of what a program has said: its reason for an end, if there is one, stands there. */
export class StderrTail {
  #kept = Buffer.alloc(0)

  add(chunk: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, chunk]).subarray(-COMMAND_STDERR_BYTES)
  }

  text(): string {
    return this.#kept.toString()
  }
}
