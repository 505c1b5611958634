import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import { WAKE_MS } from '../../../core/limits.js'
import { makeJobEnvironment } from '../../../job/environment.js'
import type { LaunchedJob } from '../../../job/launch-job.js'
import { exitAtOnce } from '../../../process/exit.js'
import { sendSignal } from '../../../process/signals.js'
import { HURRYING, type JobHost } from '../job-host.js'
import type { Signals } from '../signals.js'
import { isStopped } from './is-stopped.js'
import { readOriginal } from './original.js'
import { SignalRelay } from './signal-relay.js'
import { StopMirror } from './stop-mirror.js'
import { type Wrapper, wordFor } from './wrapper.js'

const { SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGURG, SIGWINCH } = constants.signals
/** What they do to who doesn't catch them: nothing, signal(7). */
const HARMLESS: readonly number[] = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH]

/**
 * The shell that stands in front of this process. The job gets what that was started with, and the signals that were
 * meant for it; who waits for it sees of the job's stops and end what it would see without us.
 */
export function wrapperHost(wrapper: Wrapper, signals: Signals): JobHost {
  const { environment, openFiles, ...others } = readOriginal(wrapper.pid, wrapper.own)
  const [stdin, stdout] = wrapper.stdio
  const hurry = new AbortController()
  let job: LaunchedJob | undefined
  let mirror: StopMirror | undefined
  let hear: ((signal: number) => void) | undefined
  /** Signals from before the job was there. */
  const early: number[] = []
  wrapper.onReport((report) => {
    if (typeof report === 'number') early.push(report)
  })
  // It was killed, as the job would have been.
  void wrapper.gone.then(() => {
    if (job === undefined) return exitAtOnce(0)
    job.signal(SIGKILL)
    hurry.abort()
  })

  return {
    launchOptions: {
      ...others,
      stdio: wrapper.stdio,
      // The job has what its group gets from now on, which may be of its own making.
      spawning: () => signals.mark(),
      spawned(pid) {
        signals.mark()
        wrapper.tell(`started ${pid}`)
      },
      ...(openFiles === undefined ? {} : { openFiles }),
      ...(environment === undefined ? {} : { environment: makeJobEnvironment(environment) }),
    },
    starting() {
      signals.deliverAfterMark((signal, between) => {
        // It came while the job was made. Had that been there already, it would have ended it, or stopped: no program
        // catches a signal in its first instant.
        if (between && !HARMLESS.includes(signal)) job?.signal(signal)
        hear?.(signal)
      })
      wrapper.tell('starting')
    },
    started(launched) {
      job = launched
      const connected = connectSignals(wrapper, launched)
      hear = connected.hear
      mirror = connected.mirror
      for (const signal of early) launched.signal(signal)
      // Whoever is at the other end of them learns when the job has closed its own.
      closeSync(stdin)
      closeSync(stdout)
    },
    ended(end) {
      mirror?.end()
      wrapper.tell(wordFor(end))
      signals.deliverTo(() => undefined)
      wrapper.onReport((report) => {
        if (typeof report === 'number' && HURRYING.includes(report)) hurry.abort()
      })
      return hurry.signal
    },
  }
}

function connectSignals(
  wrapper: Wrapper,
  launched: LaunchedJob,
): { mirror: StopMirror; hear: (signal: number) => void } {
  const isJobStopped = (): boolean => isStopped(launched.pid)
  const relay = new SignalRelay({
    isDrowsy: wrapper.isDrowsy,
    isStopped: isJobStopped,
    send(signal) {
      mirror.signalled(signal)
      launched.signal(signal)
    },
  })
  const mirror = new StopMirror({
    isJobStopped,
    isWrapperStopped: () => isStopped(wrapper.pid),
    isUndecided: () => relay.continuing,
    stopJob: () => launched.signal(SIGSTOP),
    stopWrapper: (signal) => wrapper.tell(`stop ${signal}`),
    continueWrapper() {
      relay.expectContinue()
      sendSignal(wrapper.pid, SIGCONT)
    },
  })
  wrapper.onReport((report) => {
    if (report === 'continued') mirror.wrapperContinued()
    else if (report === 'woken') relay.woken()
    else relay.reported(report)
  })
  process.on('SIGCHLD', () => mirror.look())
  if (wrapper.isDrowsy) setInterval(() => wrapper.tell(''), WAKE_MS).unref()
  return {
    mirror,
    hear(signal) {
      mirror.signalled(signal)
      relay.heard(signal)
    },
  }
}
