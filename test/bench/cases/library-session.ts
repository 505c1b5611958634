import { alternate } from '../alternate.js'
import type { Case } from '../bench.js'
import { sshArguments } from '../keys.js'
import { run } from '../processes.js'
import { inMs } from '../report.js'
import { startJob, startSshd, userName } from '../servers.js'

const WARM_UP = 10

export const librarySession: Case = {
  name: 'library-session',
  goal: 'a session opened by the library in a running process, to the exit status of `true`, takes at most 15 ms',
  async run(bench) {
    const job = await startJob(bench, bench.plain, 'bench')
    const sshd = await startSshd(bench)
    const { connectToJob }: typeof import('../../../src/index.js') = await import(bench.plain.library)
    const session = async (): Promise<void> => {
      const connection = await connectToJob('bench')
      const remote = await connection.exec('true', { stdin: null })
      const { exitCode } = await remote.ended
      if (exitCode !== 0) throw new Error(`true ended with ${exitCode}.`)
      // Part of the next session's time otherwise; not awaited, since the status is there already.
      void connection.close()
    }
    for (let i = 0; i < WARM_UP; i++) await session()
    const ssh = [...sshArguments(bench.keys, sshd.port, userName()), 'true']
    const [ours, peer] = await alternate(
      [
        { work: session, server: job },
        { work: () => run('ssh', ssh), server: sshd.pid },
      ],
      bench.rounds(50),
    )
    if (ours === undefined || peer === undefined) return []
    return [
      {
        what: 'a session by the library, in ms; `ssh HOST true`',
        ours: inMs(ours.ms),
        peer: inMs(peer.ms),
        measure: ours.ms,
        goal: { atMost: 15 },
      },
    ]
  },
}
