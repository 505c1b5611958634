import { constants } from 'node:os'
import { makeJobEnvironment } from '../../job/environment.js'
import type { ProcessEnd } from '../../job/job.js'
import type { LaunchedJob, LaunchJobOptions } from '../../job/launch-job.js'
import { signalName } from '../../process/signals.js'
import type { Signals } from './signals.js'
import { startDescriptors, startEnvironment } from './start-environment.js'

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 } = constants.signals
/** What has sessions that outlive the job end at once. */
export const HURRYING: readonly number[] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

/** The process that a job's user or batch system has started, and knows as the job. */
export interface JobHost {
  /** What it was started with, and the job is to have. */
  readonly launchOptions: Omit<LaunchJobOptions, 'id'>
  /** The job is about to be started. */
  starting(): void
  /** From now on the job gets its signals. */
  started(launched: LaunchedJob): void
  /** The job has ended. @returns a signal that is aborted when what is left is to end at once */
  ended(end: ProcessEnd): AbortSignal
}

/** This process itself: all that it gets is for the job. */
export function ownHost(signals: Signals): JobHost {
  return {
    launchOptions: { environment: makeJobEnvironment(startEnvironment()), descriptors: startDescriptors() },
    starting() {
      signals.catchOthers()
    },
    started(launched) {
      signals.deliverTo((signal) => void launched.forward(signalName(signal)))
    },
    ended() {
      const hurry = new AbortController()
      signals.deliverTo((signal) => {
        if (HURRYING.includes(signal)) hurry.abort()
      })
      return hurry.signal
    },
  }
}
