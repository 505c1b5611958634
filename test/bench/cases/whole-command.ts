import { homedir } from 'node:os'
import { alternate } from '../alternate.js'
import type { Bench, Case } from '../bench.js'
import { sshArguments } from '../keys.js'
import { run } from '../processes.js'
import { type Goal, inMs, type Row } from '../report.js'
import { startJob, startSshd, userName } from '../servers.js'

async function measure(bench: Bench, what: string, home: string, goal: Goal): Promise<Row[]> {
  const job = await startJob(bench, bench.plain, 'bench', home)
  const sshd = await startSshd(bench, home)
  const sshjob = [...bench.profileArguments, bench.plain.sshjob, 'bench', 'true']
  const ssh = [...sshArguments(bench.keys, sshd.port, userName()), 'true']
  const [ours, peer] = await alternate(
    [
      { work: () => run(process.execPath, sshjob), server: job },
      { work: () => run('ssh', ssh), server: sshd.pid },
    ],
    bench.rounds(40),
  )
  await bench.endCase()
  if (ours === undefined || peer === undefined) return []
  const cpu = `${inMs(ours.cpu)}, ${inMs(peer.cpu)}`
  return [{ what, ours: inMs(ours.ms), peer: inMs(peer.ms), measure: ours.ms / peer.ms, goal, cpu }]
}

export const wholeCommand: Case = {
  name: 'whole-command',
  goal: '`sshjob JOB true` takes at most 0.5 of the time of `ssh` to sshd',
  async run(bench) {
    const what = '`sshjob JOB true`, `ssh HOST true`'
    return [
      ...(await measure(bench, what, bench.home, { atMost: 0.5 })),
      // Started by sshd, Debian's bash reads ~/.bashrc for a command as well; in a job it doesn't.
      ...(await measure(bench, `${what}, with this account's home`, homedir(), { atMost: 0.5 })),
    ]
  },
}
