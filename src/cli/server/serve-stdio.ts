import type { Duplex } from 'node:stream'
import { closeGently } from '../../core/close-gently.js'
import { SshjobError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { makeJobEnvironment } from '../../job/environment.js'
import { localJob } from '../../job/local-job.js'
import { signalName } from '../../process/signals.js'
import type { Served } from '../../server/types.js'
import { serve } from '../../starter/serve.js'
import { stdioStream } from '../../streams/stdio.js'
import type { Settings } from './settings.js'
import type { Signals } from './signals.js'
import { startEnvironment } from './start-environment.js'
import { describeSurroundings } from './surroundings.js'

/**
 * Serves the one connection that this process was started with, into what it sits in: its container, its job step.
 * Gives the status to exit with.
 * @throws SshjobError what ended the connection, unless its client did
 */
export function serveStdio(settings: Settings, signals: Signals, log: Logger): Promise<number> {
  const stream = stdioStream()
  const { command, pids, since } = describeSurroundings()
  const environment = makeJobEnvironment(startEnvironment())
  const job = localJob({
    id: settings.jobId,
    command,
    pids: () => pids,
    environment,
    ...(since === undefined ? {} : { since }),
  })
  return untilClosed(stream, serve(stream, job, { ...settings.serveOptions, log }), signals)
}

/** Waits for the end of the connection, which a signal brings about as well. As serveStdio() otherwise. */
export async function untilClosed(stream: Duplex, served: Served, signals: Signals): Promise<number> {
  signals.deliverTo((signal) => {
    const name = `SIG${signalName(signal)}`
    if (name === 'SIGUSR1' || name === 'SIGUSR2') return
    void served.end(new SshjobError('connection-closed', `The server was ended by ${name}.`))
  })
  const cause = await served.closed
  await closeGently(stream)
  if (cause !== undefined && cause.code !== 'connection-closed') throw cause
  return 0
}
