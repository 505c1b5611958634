import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { BlockingCalls } from '../../core/blocking-calls.js'
import { listenAtPath } from '../../sockets/listen-unix.js'
import type { Connection } from '../../ssh/connection.js'
import { makePrivateFolder } from './private-folder.js'
import { forwardSocket } from './remote.js'

/** Something of the client's that a session reaches, and the variables that say where. */
export interface SessionForward {
  readonly environment: ReadonlyMap<string, Buffer>
  close(): Promise<void>
}

/**
 * A socket in the job that leads to the client's agent: auth-agent-req@openssh.com. Who can reach it can use the keys,
 * so it lies in a folder of this user's alone, and goes with its session.
 */
export async function forwardAgent(connection: Connection, calls: BlockingCalls): Promise<SessionForward> {
  const folder = await makePrivateFolder(calls, 'agent')
  try {
    const path = join(folder.path, 'agent')
    const forward = (socket: Socket): void => forwardSocket(connection, socket, 'auth-agent@openssh.com')
    const server = await listenAtPath(path, forward, calls)
    return {
      environment: new Map([['SSH_AUTH_SOCK', Buffer.from(path)]]),
      async close() {
        await server.close()
        await folder.remove()
      },
    }
  } catch (error) {
    await folder.remove()
    throw error
  }
}
