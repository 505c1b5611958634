import {
  CHANNEL_OUTPUT_MAX,
  CHANNELS_BUDGET,
  PACKET_MAX,
  PACKET_RECEIVED_MAX,
  WAITING_REQUESTS_MAX_BYTES,
  WINDOW_INITIAL,
  WINDOW_INITIAL_SHARE,
  WINDOW_MAX,
} from '../core/limits.js'
import { clamp, MemoryShare, Sharers } from '../core/memory-share.js'

const channels = new Sharers()

/** What the channels of one connection may hold of what comes, and of what goes. */
export class ChannelMemory {
  readonly #share = new MemoryShare(CHANNELS_BUDGET, channels)

  /** One more channel. Gives what is to be called, once, when it is gone. */
  enter(): () => void {
    return this.#share.enter()
  }

  /** The window that a channel begins with, which can't be taken back: RFC 4254 §5.2 has no way to. */
  get initialWindow(): number {
    return clamp(Math.floor(this.#share.bytes / WINDOW_INITIAL_SHARE), PACKET_MAX, WINDOW_INITIAL)
  }

  /** What a window may be now. */
  get window(): number {
    return clamp(this.#share.bytes, PACKET_MAX, WINDOW_MAX)
  }

  /** What may wait of its requests. */
  get requests(): number {
    return clamp(this.#share.bytes, PACKET_RECEIVED_MAX, WAITING_REQUESTS_MAX_BYTES)
  }

  /** What a channel may keep of its output before its writer has to wait. */
  get output(): number {
    return clamp(Math.floor(this.#share.bytes / WINDOW_INITIAL_SHARE), PACKET_MAX, CHANNEL_OUTPUT_MAX)
  }
}
