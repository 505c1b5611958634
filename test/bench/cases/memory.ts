import fs from 'node:fs/promises'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobConnection } from '../../../src/index.js'
import type { Case } from '../bench.js'
import { descendants, memoryOf } from '../processes.js'
import { inKiB, type Row } from '../report.js'
import { startJob, startSshd, userName } from '../servers.js'

const SESSIONS = 200
/** What a session does at its beginning should be over. */
const SETTLE_MS = 3_000

export const memory: Case = {
  name: 'memory',
  goal: "with 200 idle sessions, the starter has at most a tenth of the memory of sshd's processes",
  async run(bench) {
    const { connect, connectToJob }: typeof import('../../../src/index.js') = await import(
      bench.plain.library
    )
    const job = await startJob(bench, bench.plain, 'bench')
    const sshd = await startSshd(bench)
    const privateKey = await fs.readFile(bench.keys.identity, 'utf8')
    const credentials = { privateKey, hostKey: bench.keys.hostPublicKey }
    const toSshd = (): Promise<JobConnection> =>
      connect(net.connect({ port: sshd.port, host: '127.0.0.1', noDelay: true }), {
        credentials,
        username: userName(),
      })
    const open: JobConnection[] = []
    bench.onEnd(async () => {
      await Promise.all(open.map((connection) => connection.close()))
    })
    const before = memoryOf(job)
    for (let session = 0; session < SESSIONS; session++) {
      for (const connection of [await connectToJob('bench'), await toSshd()]) {
        open.push(connection)
        const shell = await connection.shell({})
        shell.stdout.resume()
      }
    }
    await delay(SETTLE_MS)
    const after = memoryOf(job)
    const processes = descendants(sshd.pid, 'sshd')
    const theirs = processes.map(memoryOf)
    const sum = (field: 'rss' | 'pss'): number => theirs.reduce((total, one) => total + one[field], 0)
    const row = (what: string, ours: number, peer: number): Row => ({
      what,
      ours: inKiB(ours / SESSIONS),
      peer: inKiB(peer / SESSIONS),
      measure: ours / peer,
      goal: { atMost: 0.1 },
    })
    return [
      row('memory for each of 200 idle shells, growth (RSS)', after.rss - before.rss, sum('rss')),
      row('the same, growth (PSS)', after.pss - before.pss, sum('pss')),
      row('the same, all of the starter (RSS)', after.rss, sum('rss')),
      row('the same, all of the starter (PSS)', after.pss, sum('pss')),
    ]
  },
}
