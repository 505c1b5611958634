import { alternate, type Side } from '../alternate.js'
import type { Case } from '../bench.js'
import { inUnits, type Row } from '../report.js'
import { startJob, startSshd } from '../servers.js'
import { compare, libraryTransfer, sshTransfer } from './throughput.js'

const GIB = 1024 ** 3

export const libraryToLibrary: Case = {
  name: 'library-to-library',
  goal: 'our client to our server, on the unix socket, has 0.9 of the throughput of ssh to sshd',
  async run(bench) {
    const bytes = bench.bytes(GIB)
    const sshd = await startSshd(bench)
    const installation = await bench.native()
    if ('reason' in installation) console.error(`No native ciphers: ${installation.reason}`)
    const installations = 'reason' in installation ? [bench.plain] : [bench.plain, installation]
    const servers = await Promise.all(
      installations.map(async (one, index) => {
        const job = `bench-${index}`
        return { one, server: { pid: await startJob(bench, one, job), job } }
      }),
    )
    const rows: Row[] = []
    for (const direction of ['out', 'into'] as const) {
      const sides: Side[] = [sshTransfer(bench, sshd, direction, bytes)]
      for (const { one, server } of servers)
        sides.push(await libraryTransfer(bench, one, server, direction, bytes))
      const [peer, ours, withNative] = await alternate(sides, bench.rounds(7))
      if (peer === undefined || ours === undefined) continue
      const what = `library to library, ${inUnits(bytes)} ${direction === 'out' ? 'out' : 'in'}`
      if (withNative !== undefined)
        rows.push(compare(`${what}, native ciphers`, bytes, withNative, peer, 0.9))
      rows.push(compare(what, bytes, ours, peer, withNative === undefined ? 0.9 : undefined))
    }
    return rows
  },
}
