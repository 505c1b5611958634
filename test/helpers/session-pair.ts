import type { Duplex } from 'node:stream'
import { connect } from '../../src/client/connect.js'
import type { ConnectOptions, JobConnection } from '../../src/client/types.js'
import type { Job } from '../../src/job/job.js'
import { localJob } from '../../src/job/local-job.js'
import type { Served } from '../../src/server/types.js'
import { type ServeOptions, serve } from '../../src/starter/serve.js'
import { streamPair } from '../../src/streams/memory.js'
import { type RawPeer, type RawPeerOptions, rawPeer, sessionKeys } from './raw-peer.js'

export interface SessionPair {
  job: Job
  served: Served
  client: JobConnection
  serverStream: Duplex
  clientStream: Duplex
  /** Ends the session and waits until nothing of it is left. */
  close(): Promise<void>
}

export interface SessionPairOptions {
  job?: Job
  serve?: ServeOptions
  connect?: ConnectOptions
}

/** A job that this process is inside of. */
export function testJob(): Job {
  return localJob({ id: 'test', command: ['jest'], pids: () => [process.pid] })
}

/** A client's session in a job, over two streams in this process. */
export async function sessionPair(options: SessionPairOptions = {}): Promise<SessionPair> {
  const { job = testJob() } = options
  const [serverStream, clientStream] = streamPair()
  const served = serve(serverStream, job, options.serve)
  const client = await connect(clientStream, options.connect)
  return {
    job,
    served,
    client,
    serverStream,
    clientStream,
    async close() {
      await client.close()
      await served.closed
    },
  }
}

export interface RawSession {
  served: Served
  peer: RawPeer
  serverStream: Duplex
  clientStream: Duplex
  close(): Promise<void>
}

/** A served job, with a peer at the other end that says what it likes. */
export async function rawSession(
  job: Job,
  options: ServeOptions = {},
  peerOptions: Partial<RawPeerOptions> = {},
): Promise<RawSession> {
  const keys = sessionKeys()
  const [serverStream, clientStream] = streamPair()
  const served = serve(serverStream, job, { credentials: keys.server, ...options })
  const peer = await rawPeer(clientStream, { ...keys.client, ...peerOptions })
  return {
    served,
    peer,
    serverStream,
    clientStream,
    async close() {
      peer.transport.close()
      await served.closed
    },
  }
}
