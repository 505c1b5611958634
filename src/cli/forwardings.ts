import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Endpoint, Forwarding, JobConnection, ListenAt } from '../client/types.js'
import type { ForwardSpec } from './forward-specs.js'
import { printable } from './report.js'

/**
 * Starts what -L, -R and -D ask for, and gives a line about each.
 * @throws SshjobError the first that can't be had: who asked for it would find it missing later, and not know why
 */
export async function startForwardings(
  connection: JobConnection,
  specs: readonly ForwardSpec[],
  note: (sentence: string) => void,
): Promise<string[]> {
  const onFailure = (error: Error): void => note(`sshjob: ${printable(error.message)}`)
  const started: Forwarding[] = []
  try {
    for (const spec of specs) started.push(await start(connection, spec, onFailure))
  } catch (error) {
    // A socket in the file system would stay behind.
    await Promise.all(started.map((forwarding) => forwarding.close()))
    throw error
  }
  return specs.flatMap((spec, index) => {
    const address = started[index]?.address
    if (address === undefined) return []
    if (spec.kind === 'remote' && spec.from.port === 0 && address.port !== undefined) {
      note(`Allocated port ${address.port} for remote forward to ${format(spec.to)}`)
    } else if (spec.from.port === 0) note(`sshjob: Listening on ${format(address)}.`)
    return [describe(spec, address)]
  })
}

function start(
  connection: JobConnection,
  spec: ForwardSpec,
  onFailure: (error: Error) => void,
): Promise<Forwarding> {
  switch (spec.kind) {
    case 'local':
      return connection.forwardLocal(spec.from, spec.to, { onFailure })
    case 'remote':
      return connection.forwardRemote(spec.from, spec.to, { onFailure })
    case 'dynamic':
      return connection.forwardDynamic(spec.from, { onFailure })
  }
}

/** Removes the sockets that we listen on, for an end that leaves no time for more. */
export function removeSockets(specs: readonly ForwardSpec[]): void {
  for (const { kind, from } of specs) {
    if (kind === 'local' && from.path !== undefined) rmSync(from.path, { force: true })
  }
}

/** -W: our input and output are the two directions of one connection from inside the job. */
export async function joinStdio(connection: JobConnection, target: Endpoint): Promise<void> {
  const stream = await (target.path === undefined
    ? connection.openTcp(target.host, target.port)
    : connection.openUnix(target.path))
  // Whoever reads our output has gone: nothing is left to do.
  process.stdout.on('error', () => stream.destroy())
  process.stdin.on('error', () => stream.end())
  process.stdin.pipe(stream)
  stream.pipe(process.stdout, { end: false })
  const closed = once(stream, 'close')
  await finished(stream, { writable: false })
  // The input may stay open for ever; what was read of it goes out first.
  if (stream.destroyed) await closed
  else if (!process.stdin.readableEnded) stream.end()
}

function describe(spec: ForwardSpec, address: Endpoint): string {
  const at = format(address)
  if (spec.kind === 'dynamic') return `SOCKS at ${at}`
  return spec.kind === 'local'
    ? `${at} to ${format(spec.to)} in the job`
    : `${at} in the job to ${format(spec.to)}`
}

function format(endpoint: Endpoint | ListenAt): string {
  if (endpoint.path !== undefined) return endpoint.path
  const { host = 'localhost', port } = endpoint
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
