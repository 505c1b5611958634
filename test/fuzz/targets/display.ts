import { X11_FIRST_PORT } from '../../../src/core/limits.js'
import { echoSocket, serveSockets, type TestServer } from '../../helpers/loopback.js'

/** What writes back, on a port that a display may have. */
export async function serveDisplay(): Promise<TestServer> {
  const display = await serveSockets(echoSocket)
  return display.port < X11_FIRST_PORT ? serveDisplay() : display
}
