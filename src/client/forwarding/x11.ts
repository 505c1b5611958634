import { randomBytes } from 'node:crypto'
import type { Channel } from '../../ssh/channel.js'
import type { OpenAnswer } from '../../ssh/connection.js'
import { joinStream } from '../../ssh/join.js'
import { boolean, string, uint32 } from '../../ssh/wire.js'
import { Handshake } from './handshake.js'
import { untrustedCookies } from './untrusted-cookie.js'
import { openDisplay, parseDisplay, type X11Display } from './x11-display.js'
import { MIT_MAGIC_COOKIE, readSetup, SETUP_LIMITS } from './x11-setup.js'

export type { X11Display } from './x11-display.js'

const COOKIE_BYTES = 16

/** A display that a session may use. */
export interface AllowedDisplay {
  /** The data of its x11-req, RFC 4254 §6.3.1. */
  request: Buffer[]
  /** Nobody connects to it any more; who is connected stays. */
  forbid(): void
}

/**
 * The displays that sessions of a connection may use. Each session gets a cookie of its own, which is of use here only:
 * the display's own is put in its place here, and the job never learns it.
 */
export class ForwardedDisplays {
  /** By the cookie that was given to the job, in hexadecimal. */
  readonly #displays = new Map<string, { display: X11Display; untrusted?: () => Promise<Buffer> }>()

  /** @throws SshjobError 'usage' for what is no display, 'no-display' for one that lets in trusted programs alone */
  async allow(display: X11Display): Promise<AllowedDisplay> {
    const { screen } = parseDisplay(display.display)
    const cookie = randomBytes(COOKIE_BYTES).toString('hex')
    const untrusted = display.trusted === true ? undefined : await untrustedCookies(display)
    this.#displays.set(cookie, { display, ...(untrusted && { untrusted }) })
    return {
      request: [boolean(false), string(MIT_MAGIC_COOKIE), string(cookie), uint32(screen)],
      forbid: () => void this.#displays.delete(cookie),
    }
  }

  /** For an x11 channel of the server; undefined where no session has a display. */
  open(): OpenAnswer | undefined {
    return this.#displays.size === 0 ? undefined : { accept: (channel) => this.#serve(channel) }
  }

  /** Which display it is for, and whether it may, the first packet says. */
  #serve(channel: Channel): void {
    channel.inputExtended.resume()
    channel.output.on('error', () => undefined)
    // A program that is not let in, or a display that is not there: all that X11 has for it is a connection that ends.
    this.#join(channel).catch(() => channel.close())
  }

  async #join(channel: Channel): Promise<void> {
    const input = new Handshake(channel.input, SETUP_LIMITS)
    try {
      const setup = await readSetup(input)
      const allowed = this.#displays.get(setup.cookie.toString('hex'))
      if (allowed === undefined || setup.protocol !== MIT_MAGIC_COOKIE) return channel.close()
      const { display, untrusted } = allowed
      const own = untrusted && (await untrusted())
      const { socket, cookie } = await openDisplay(display, own)
      if (channel.isClosed) return void socket.destroy()
      socket.write(setup.with(cookie))
      input.release()
      joinStream(channel, socket)
    } finally {
      input.release()
    }
  }
}
