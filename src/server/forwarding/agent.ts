import { join } from 'node:path'
import type { JobInside } from '../../job/inside.js'
import type { Connection } from '../../ssh/connection.js'
import { forwardStream } from './remote.js'

/** Something of the client's that a session reaches, and the variables that say where. */
export interface SessionForward {
  readonly environment: ReadonlyMap<string, Buffer>
  close(): Promise<void>
}

/**
 * A socket in the job that leads to the client's agent: auth-agent-req@openssh.com. Who can reach it can use the keys,
 * so it lies in a directory of the user's alone, and goes with its session.
 */
export async function forwardAgent(connection: Connection, inside: JobInside): Promise<SessionForward> {
  const directory = await inside.temporary('agent')
  try {
    const path = join(directory.path, 'agent')
    const server = await inside.listen({ path }, (stream) =>
      forwardStream(connection, stream, 'auth-agent@openssh.com'),
    )
    return {
      environment: new Map([['SSH_AUTH_SOCK', Buffer.from(path)]]),
      async close() {
        await server.close()
        await directory.remove()
      },
    }
  } catch (error) {
    await directory.remove()
    throw error
  }
}
