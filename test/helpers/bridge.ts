import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { HOST } from './openssh.js'
import { SSHJOB, startProgram } from './programs.js'
import type { TestUser } from './starter.js'

export interface Bridge {
  /** Of 127.0.0.1; the first connection is the one to the job. */
  readonly port: number
  /** Of the host keys that the server has for this session: SHA256 in base64, without padding. */
  readonly fingerprints: Readonly<Record<'ed25519' | 'ecdsa', string>>
}

const open: net.Server[] = []

/** For the top of a `describe`. */
export function closeBridges(): void {
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  })
}

/**
 * A way in for clients that can only dial a port, or want the fingerprint of the host key on their command line, and a
 * session has a fresh key. So the proxy starts first: it has written the key down when the first byte of SSH comes,
 * and waits for the client, which is led to it.
 */
export async function openBridge({ env, folder }: TestUser, host = HOST): Promise<Bridge> {
  const proxy = startProgram(SSHJOB, ['proxy', host], { env })
  await proxy.waitFor(/^SSH-2\.0-/)
  const greeting = proxy.stdout()
  proxy.child.stdout.removeAllListeners('data').pause()
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (connection) => {
    connection.write(greeting)
    proxy.child.stdout.pipe(connection).pipe(proxy.child.stdin)
    connection.on('error', () => proxy.kill())
  })
  server.maxConnections = 1
  open.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server without a port.')
  return { port: address.port, fingerprints: lastFingerprints(folder) }
}

function lastFingerprints(folder: string): Bridge['fingerprints'] {
  const lines = readFileSync(join(folder, 'run/sshjob/openssh/known_hosts'), 'utf8').trimEnd().split('\n')
  const of = (type: string): string => {
    const [, , blob = ''] = lines.findLast((line) => line.split(' ')[1] === type)?.split(' ') ?? []
    return createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replaceAll('=', '')
  }
  return { ed25519: of('ssh-ed25519'), ecdsa: of('ecdsa-sha2-nistp256') }
}
