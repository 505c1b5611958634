import fs from 'node:fs/promises'
import path from 'node:path'
import { alternate } from '../alternate.js'
import type { Case } from '../bench.js'
import { PINS, sshArguments } from '../keys.js'
import { read, run } from '../processes.js'
import { inMs } from '../report.js'
import { startJob, startSshd, userName } from '../servers.js'

export const throughProxy: Case = {
  name: 'through-proxy',
  goal: '`ssh JOB.job true` through `sshjob proxy` takes at most 0.7 of the time of `ssh` to sshd',
  async run(bench) {
    const job = await startJob(bench, bench.plain, 'bench')
    const sshd = await startSshd(bench)
    const config = path.join(bench.directory, 'ssh_config')
    await fs.writeFile(config, await read(process.execPath, [bench.plain.sshjob, 'ssh-config']))
    const ours = [
      '-F',
      config,
      ...PINS,
      '-o',
      'IdentityAgent=none',
      '-o',
      'LogLevel=ERROR',
      'bench.job',
      'true',
    ]
    const theirs = [...sshArguments(bench.keys, sshd.port, userName()), 'true']
    const [mine, peer] = await alternate(
      [
        { work: () => run('ssh', ours), server: job },
        { work: () => run('ssh', theirs), server: sshd.pid },
      ],
      bench.rounds(40),
    )
    if (mine === undefined || peer === undefined) return []
    return [
      {
        what: '`ssh JOB.job true` through the proxy, `ssh HOST true`',
        ours: inMs(mine.ms),
        peer: inMs(peer.ms),
        measure: mine.ms / peer.ms,
        goal: { atMost: 0.7 },
      },
    ]
  },
}
