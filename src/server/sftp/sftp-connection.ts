import { SFTP_BUDGET, SFTP_PACKET_MAX, SFTP_PENDING_BYTES } from '../../core/limits.js'
import { clamp, MemoryShare, Sharers } from '../../core/memory-share.js'

const channels = new Sharers()

/** What the channels of SFTP of one connection share: memory. */
export class SftpConnection {
  readonly #memory = new MemoryShare(SFTP_BUDGET, channels)

  /** One more channel. Gives what is to be called, once, when it has ended. */
  enter(): () => void {
    return this.#memory.enter()
  }

  /** What a channel may hold of requests and answers, besides one that is longer. */
  get pendingBytes(): number {
    return clamp(this.#memory.bytes, SFTP_PACKET_MAX, SFTP_PENDING_BYTES)
  }
}
