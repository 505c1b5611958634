import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { BlockingCalls } from '../../core/blocking-calls.js'
import { SshjobError, systemCode } from '../../core/errors.js'
import {
  X11_AUTHORITY_MAX_BYTES,
  X11_DISPLAY_OFFSET,
  X11_DISPLAYS,
  X11_FIRST_PORT,
} from '../../core/limits.js'
import { type Listening, listenEverywhere, listenLoopback } from '../../sockets/loopback.js'
import type { Connection } from '../../ssh/connection.js'
import { type Reader, string, uint32 } from '../../ssh/wire.js'
import type { Displays } from '../rules.js'
import type { SessionForward } from './agent.js'
import { makePrivateFolder } from './private-folder.js'
import { forwardSocket } from './remote.js'
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
  calls: BlockingCalls,
  { offset, localhost }: Displays = { offset: X11_DISPLAY_OFFSET, localhost: true },
): Promise<SessionForward> {
  const { protocol, cookie, screen } = request
  const folder = await makePrivateFolder(calls, 'Xauthority')
  try {
    const listening = await listenDisplay(offset, localhost ? listenLoopback : listenEverywhere)
    const display = listening.port - X11_FIRST_PORT
    listening.onConnection((socket) => {
      const origin = [string(socket.remoteAddress ?? ''), uint32(socket.remotePort ?? 0)]
      forwardSocket(connection, socket, 'x11', ...origin)
      if (request.single) void listening.close()
    })
    const close = async (): Promise<void> => {
      await listening.close()
      await folder.remove()
    }
    const file = join(folder.path, 'Xauthority')
    try {
      const entry = encodeXauthority({ display, hostname: hostname(), protocol, cookie })
      await calls.file(file, () => writeFile(file, entry, { mode: 0o600, flag: 'wx' }))
    } catch (error) {
      await listening.close()
      throw error
    }
    const environment = new Map([
      ['DISPLAY', Buffer.from(`${localhost ? 'localhost' : hostname()}:${display}.${screen}`)],
      ['XAUTHORITY', Buffer.from(file)],
    ])
    return { environment, close }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

/** The first display whose port is free on every address that counts: a program may try any of them. */
async function listenDisplay(offset: number, listen: typeof listenLoopback): Promise<Listening> {
  for (let display = offset; display < offset + X11_DISPLAYS; display++) {
    try {
      return await listen(X11_FIRST_PORT + display)
    } catch (error) {
      if (!(error instanceof SshjobError) || systemCode(error.cause) !== 'EADDRINUSE') throw error
    }
  }
  throw new SshjobError('unreachable', 'No display is free for X11.')
}
