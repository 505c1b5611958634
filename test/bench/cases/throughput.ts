import type { Measured, Side } from '../alternate.js'
import type { Bench, Case } from '../bench.js'
import { besideFirst } from '../beside-first.js'
import type { Installation } from '../installation.js'
import { sshArguments } from '../keys.js'
import { run } from '../processes.js'
import { inMBperS, inMs, inUnits, type Row } from '../report.js'
import { startBoth, type TcpServer, userName } from '../servers.js'

const GIB = 1024 ** 3
export type Direction = 'out' | 'into'

/** A command that writes this much, in pieces of what a pipe holds: cat(1) and tar(1) write as much or more. */
const zeros = (bytes: number, piece = 65_536): string =>
  `dd if=/dev/zero bs=${piece} count=${bytes / piece} status=none`

/** Moves bytes with OpenSSH's client. */
export function sshTransfer(
  bench: Bench,
  { pid, port }: TcpServer,
  direction: Direction,
  bytes: number,
  piece?: number,
): Side {
  const args = sshArguments(bench.keys, port, userName())
  const source = zeros(bytes, piece)
  const script =
    direction === 'out' ? `ssh "$@" '${source}' >/dev/null` : `${source} | ssh "$@" 'wc -c' >/dev/null`
  return { server: pid, work: () => run('sh', ['-c', script, 'sh', ...args]) }
}

/** What our library connects to: a job of ours by its id, or a TCP server. */
export type LibraryTarget = { pid: number; job: string } | TcpServer

/** Moves bytes with our library, in a process of its own. */
export async function libraryTransfer(
  bench: Bench,
  installation: Installation,
  target: LibraryTarget,
  direction: Direction,
  bytes: number,
): Promise<Side> {
  const { identity, hostPublicKey } = bench.keys
  const address = 'job' in target ? target.job : [target.port, identity, hostPublicKey].join(',')
  const program = [...bench.profileArguments, await bench.program('library-client')]
  const args = [...program, installation.library, address, direction, String(bytes)]
  return { server: target.pid, work: () => run(process.execPath, args) }
}

/** A throughput beside the peer's. */
export function compare(what: string, bytes: number, ours: Measured, peer: Measured, atLeast?: number): Row {
  return {
    what,
    ours: inMBperS(bytes, ours.ms),
    peer: inMBperS(bytes, peer.ms),
    measure: peer.ms / ours.ms,
    ...(atLeast === undefined ? {} : { goal: { atLeast } }),
    cpu: `${inMs(ours.cpu)}, ${inMs(peer.cpu)}`,
  }
}

export const throughput: Case = {
  name: 'throughput',
  goal: "with OpenSSH's client and aes128-gcm, 1.0 of sshd's throughput with the native ciphers, 0.8 without",
  async run(bench) {
    const bytes = bench.bytes(GIB)
    const servers = await startBoth(bench)
    const rows: Row[] = []
    const transfers = [
      { what: `${inUnits(bytes)} out of a command`, direction: 'out', piece: undefined },
      // Each write is a packet then: what is measured is what one packet costs.
      {
        what: `${inUnits(bytes)} out of a command that writes 8 KiB at a time`,
        direction: 'out',
        piece: 8_192,
      },
      { what: `${inUnits(bytes)} into a command`, direction: 'into', piece: undefined },
    ] as const
    for (const { what, direction, piece } of transfers) {
      const sides = servers.map((server) => sshTransfer(bench, server, direction, bytes, piece))
      const compared = await besideFirst(servers, sides, bench.rounds(7), (label, ours, peer) =>
        compare(`${what}${label}`, bytes, ours, peer, label === '' ? 0.8 : 1),
      )
      rows.push(...compared)
    }
    return rows
  },
}
