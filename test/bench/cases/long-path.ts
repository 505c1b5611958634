import { alternate } from '../alternate.js'
import type { Case } from '../bench.js'
import { inUnits } from '../report.js'
import { startDelayProxy, startSshd, startTcpServer } from '../servers.js'
import { compare, libraryTransfer, sshTransfer } from './throughput.js'

const DELAY_MS = 50
const BYTES = 512 * 1024 ** 2

export const longPath: Case = {
  name: 'long-path',
  goal: 'into a command, with 50 ms each way, the library has 5 times the throughput of ssh to sshd',
  async run(bench) {
    const bytes = bench.bytes(BYTES)
    const sshd = await startSshd(bench)
    const server = await startTcpServer(bench, bench.plain)
    const far = { ...sshd, port: await startDelayProxy(bench, sshd.port, DELAY_MS) }
    const ours = { ...server, port: await startDelayProxy(bench, server.port, DELAY_MS) }
    const [peer, library, ssh] = await alternate(
      [
        sshTransfer(bench, far, 'into', bytes),
        await libraryTransfer(bench, bench.plain, ours, 'into', bytes),
        sshTransfer(bench, ours, 'into', bytes),
      ],
      bench.rounds(3),
    )
    if (peer === undefined || library === undefined || ssh === undefined) return []
    return [
      compare(`${inUnits(bytes)} into a command, 50 ms each way, our library`, bytes, library, peer, 5),
      compare('the same, `ssh` to our server', bytes, ssh, peer),
    ]
  },
}
