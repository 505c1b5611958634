/**
 * A program that is inside a job: `node --import …/register-typescript.mjs job-host.ts MODE …`.
 *   sessions COMMAND…   starts COMMAND twice, in a terminal and on pipes, says 'session PID' for each, and stays
 *   shown COMMAND…      the same, and copies to stdout what they write
 *   once COMMAND…       runs COMMAND in a terminal and on pipes to its end, and shows what each wrote as JSON
 *   launch COMMAND…     launches COMMAND as the job, hands signals on, and ends as it does
 */
import { readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import type { TerminalRequest } from '../../src/job/job.js'
import { launchJob } from '../../src/job/launch-job.js'
import { localJob } from '../../src/job/local-job.js'

const [mode, ...command] = process.argv.slice(2)
const terminal: TerminalRequest = { term: 'xterm', columns: 80, rows: 24, width: 0, height: 0, modes: [] }
const request = { command: Buffer.from(command.join(' ')), environment: new Map<string, Buffer>() }

async function run(): Promise<void> {
  if (mode === 'launch') {
    // Before the job can run: until USR1 has a listener, Node.js answers it with opening its debugger's port.
    const early: string[] = []
    let receive = (name: string): void => void early.push(name)
    for (const name of ['INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2'] as const) {
      process.on(`SIG${name}`, () => receive(name))
    }
    const launched = await launchJob(command, { id: 'test' })
    receive = launched.forward
    early.forEach(receive)
    const end = await launched.ended
    const signal = Object.entries(constants.signals).find(([name]) => name === `SIG${end.signal}`)?.[1] ?? 0
    process.exit(end.exitCode ?? 128 + signal)
  }
  const job = localJob({ id: 'test', command, pids: () => [process.pid] })
  const shown: object[] = []
  for (const kind of [undefined, terminal]) {
    const session = await job.spawn({ ...request, terminal: kind })
    let output = ''
    const read = (mode === 'shown' ? [] : [session.stdout, session.stderr]).map(async (stream) => {
      for await (const data of stream ?? []) output += data
    })
    if (mode === 'sessions') console.log(`session ${session.pid}`)
    else if (mode === 'shown') session.stdout.pipe(process.stdout)
    else {
      session.stdin.end()
      await Promise.all(read)
      shown.push({ output, end: await session.ended })
    }
  }
  if (mode === 'once') {
    const stdin = readlinkSync('/proc/self/fd/0')
    console.log(JSON.stringify({ user: job.user, shown, stdin }))
  }
}

await run()
