import { hostname } from 'node:os'
import { SshjobError, systemCode } from '../../core/errors.js'
import { X11_AUTHORITY_MAX_BYTES, X11_DISPLAY_OFFSET, X11_DISPLAYS } from '../../core/limits.js'
import type { JobInside, JobListenAt, JobListening } from '../../job/inside.js'
import type { Connection } from '../../ssh/connection.js'
import type { Reader } from '../../ssh/wire.js'
import type { Displays } from '../rules.js'
import type { SessionForward } from './agent.js'
import { forwardStream, originOf } from './remote.js'
import { encodeXauthority } from './xauthority.js'

/** x11-req: RFC 4254 §6.3.1. */
export interface X11Request {
  single: boolean
  protocol: string
  cookie: Buffer
  screen: number
}

/** Gives undefined for what no X server has sent. */
export function readX11Request(data: Reader): X11Request | undefined {
  const single = data.boolean()
  const protocol = data.text()
  const hex = data.text()
  const screen = data.uint32()
  if (protocol.length > X11_AUTHORITY_MAX_BYTES || hex.length > 2 * X11_AUTHORITY_MAX_BYTES) return undefined
  if (!/^[\w-]+$/.test(protocol) || !/^([0-9a-fA-F]{2})+$/.test(hex)) return undefined
  return { single, protocol, cookie: Buffer.from(hex, 'hex'), screen }
}

/**
 * A display in the job that leads to the client's. The cookie of the request goes into a file for the programs of the
 * session; the client puts the real one in its place. Neither xauth nor a library of X is needed in the job.
 * @throws SshjobError 'unreachable' where no display is free
 */
export async function forwardX11(
  connection: Connection,
  request: X11Request,
  inside: JobInside,
  { offset, localhost }: Displays = { offset: X11_DISPLAY_OFFSET, localhost: true },
): Promise<SessionForward> {
  const { protocol, cookie, screen } = request
  const directory = await inside.temporary('Xauthority')
  try {
    const { display, listening } = await listenDisplay(offset, (free) => {
      const at: JobListenAt = { display: free, on: localhost ? 'loopback' : 'everywhere' }
      const made = inside.listen(at, (stream, from) => {
        forwardStream(connection, stream, 'x11', ...originOf(from))
        if (request.single) void made.then((one) => one.close())
      })
      return made
    })
    const close = async (): Promise<void> => {
      await listening.close()
      await directory.remove()
    }
    try {
      const entry = encodeXauthority({ display, hostname: hostname(), protocol, cookie })
      const file = await directory.write('Xauthority', entry)
      const environment = new Map([
        ['DISPLAY', Buffer.from(`${listening.host}:${display}.${screen}`)],
        ['XAUTHORITY', Buffer.from(file)],
      ])
      return { environment, close }
    } catch (error) {
      await listening.close()
      throw error
    }
  } catch (error) {
    await directory.remove()
    throw error
  }
}

/** The first display that is free on every address that counts: a program may try any of them. */
async function listenDisplay(
  offset: number,
  listen: (display: number) => Promise<JobListening>,
): Promise<{ display: number; listening: JobListening }> {
  for (let display = offset; display < offset + X11_DISPLAYS; display++) {
    try {
      return { display, listening: await listen(display) }
    } catch (error) {
      if (!(error instanceof SshjobError) || systemCode(error.cause) !== 'EADDRINUSE') throw error
    }
  }
  throw new SshjobError('unreachable', 'No display is free for X11.')
}
