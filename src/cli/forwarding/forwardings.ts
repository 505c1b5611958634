import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Endpoint, Forwarding, JobConnection, ListenAt } from '../../client/types.js'
import { formatAddress } from '../../core/format-address.js'
import { refuseForeignFile } from '../foreign-file.js'
import { printable } from '../output/report.js'
import type { ForwardKind, ForwardSpec } from './forward-specs.js'

/** What listens for a session, here and in the job. */
export interface Forwardings {
  /**
   * Starts what -L, -R or -D asks for.
   * @returns a line about it
   * @throws SshjobError where it can't be had
   */
  add(spec: ForwardSpec): Promise<string>
  /** Ends the one that listens there; false if there is none. */
  cancel(kind: ForwardKind, at: ListenAt): Promise<boolean>
  /** A line about each. */
  list(): string[]
  /** Ends all of them. */
  close(): Promise<void>
  /** Removes the sockets that we listen on, for an end that leaves no time for more. */
  removeSockets(): void
}

interface Started {
  spec: ForwardSpec
  forwarding: Forwarding
}

/** `note` gets a sentence for each port that was chosen, and each connection that fails. */
export function createForwardings(connection: JobConnection, note: (sentence: string) => void): Forwardings {
  const onFailure = (error: Error): void => note(`sshjob: ${printable(error.message)}`)
  const started = new Set<Started>()
  return {
    async add(spec) {
      // Its socket is made and removed there.
      if (spec.kind === 'local') await refuseForeignFile(spec.from.path)
      const forwarding = await start(connection, spec, onFailure)
      started.add({ spec, forwarding })
      const { address } = forwarding
      if (spec.kind === 'remote' && spec.from.port === 0 && address.port !== undefined) {
        note(`Allocated port ${address.port} for remote forward to ${format(spec.to)}`)
      } else if (spec.kind === 'remote-dynamic' && spec.from.port === 0) {
        note(`sshjob: Listening on ${format(address)} in the job.`)
      } else if (spec.from.port === 0) note(`sshjob: Listening on ${format(address)}.`)
      return describe(spec, address)
    },
    async cancel(kind, at) {
      for (const one of started) {
        const { spec, forwarding } = one
        if (spec.kind !== kind && spec.kind !== `${kind}-dynamic`) continue
        if (!isAt(forwarding.address, at)) continue
        started.delete(one)
        await forwarding.close()
        return true
      }
      return false
    },
    list: () =>
      [...started].map(({ spec, forwarding: { address, connections } }) => {
        const count = connections === 1 ? '1 connection' : `${connections} connections`
        return `${describe(spec, address)} (${count})`
      }),
    async close() {
      await Promise.all([...started].map(({ forwarding }) => forwarding.close()))
    },
    removeSockets() {
      for (const { spec } of started) {
        if (spec.kind === 'local' && spec.from.path !== undefined) rmSync(spec.from.path, { force: true })
      }
    },
  }
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
    case 'remote-dynamic':
      return connection.forwardRemoteDynamic(spec.from, { onFailure })
  }
}

function isAt(address: Endpoint, at: ListenAt): boolean {
  if (at.path !== undefined) return address.path === at.path
  return address.port === at.port && (at.host === undefined || at.host === address.host)
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
  switch (spec.kind) {
    case 'local':
      return `${at} to ${format(spec.to)} in the job`
    case 'remote':
      return `${at} in the job to ${format(spec.to)}`
    case 'dynamic':
      return `SOCKS at ${at}`
    case 'remote-dynamic':
      return `SOCKS at ${at} in the job`
  }
}

function format(endpoint: Endpoint | ListenAt): string {
  if (endpoint.path !== undefined) return endpoint.path
  const { host = 'localhost', port } = endpoint
  return formatAddress(host, port)
}
