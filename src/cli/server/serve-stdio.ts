import { readFileSync } from 'node:fs'
import { SshjobError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { localJob } from '../../job/local-job.js'
import { serve } from '../../server/serve.js'
import { closeGently } from '../../streams/close.js'
import { stdioStream } from '../../streams/stdio.js'
import type { Settings } from './settings.js'
import type { Signals } from './signals.js'

/**
 * Serves the one connection that this process was started with, into what it sits in: its container, its job step.
 * Gives the status to exit with.
 * @throws SshjobError what ended the connection, unless its client did
 */
export async function serveStdio(settings: Settings, signals: Signals, log: Logger): Promise<number> {
  const stream = stdioStream()
  const surroundings = describeSurroundings()
  const job = localJob({ id: settings.jobId, command: surroundings.command, pids: () => surroundings.pids })
  const served = serve(stream, job, { ...settings.serveOptions, log })
  signals.deliverTo((signal) => {
    if (signal === 'SIGUSR1' || signal === 'SIGUSR2') return
    void served.end(new SshjobError('connection-closed', `The server was ended by ${signal}.`))
  })
  const cause = await served.closed
  await closeGently(stream)
  if (cause !== undefined && cause.code !== 'connection-closed') throw cause
  return 0
}

/**
 * What a client is told that it is in. A process whose parent is 0 was put into its PID namespace from outside
 * (pid_namespaces(7)), as `docker exec` does it: the container's first process is the job. Otherwise nothing is known.
 */
function describeSurroundings(): { command: string[]; pids: number[] } {
  if (process.ppid !== 0) return { command: [], pids: [] }
  try {
    return { command: readFileSync('/proc/1/cmdline', 'utf8').split('\0').slice(0, -1), pids: [1] }
  } catch {
    // Without /proc the number is known, and the command is not.
    return { command: [], pids: [1] }
  }
}
