import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import { WAKE_MS } from '../../../core/limits.js'
import { makeJobEnvironment } from '../../../job/environment.js'
import type { LaunchedJob } from '../../../job/launch-job.js'
import { readStat } from '../../../job/process-tree.js'
import { sendSignal } from '../../../job/session-end.js'
import { HURRYING, type JobHost } from '../job-host.js'
import type { Signals } from '../signals.js'
import { readOriginal } from './original.js'
import { SignalRelay } from './signal-relay.js'
import { StopMirror } from './stop-mirror.js'
import { type Wrapper, wordFor } from './wrapper.js'

const { SIGCONT, SIGKILL, SIGSTOP } = constants.signals

/**
 * The shell that stands in front of this process. The job gets what that was started with, and the signals that were
 * meant for it; who waits for it sees of the job's stops and end what it would see without us.
 */
export function wrapperHost(wrapper: Wrapper, signals: Signals): JobHost {
  const { environment, ...others } = readOriginal(wrapper.pid, wrapper.own)
  const [stdin, stdout] = wrapper.stdio
  const hurry = new AbortController()
  let job: LaunchedJob | undefined
  let mirror: StopMirror | undefined
  /** Signals from before the job was there. */
  const early: number[] = []
  wrapper.onReport((report) => {
    if (typeof report === 'number') early.push(report)
  })
  // It was killed, as the job would have been.
  void wrapper.gone.then(() => {
    if (job === undefined) process.exit()
    job.signal(SIGKILL)
    hurry.abort()
  })

  return {
    launchOptions: {
      ...others,
      stdio: wrapper.stdio,
      ...(environment === undefined ? {} : { environment: makeJobEnvironment(environment) }),
    },
    starting() {
      // The group that the wrapper and we are in has no job yet: what the wrapper has got until now is for the job.
      signals.deliverTo(() => undefined)
      wrapper.tell('starting')
    },
    started(launched) {
      job = launched
      // Whoever is at the other end of them learns when the job has closed its own.
      closeSync(stdin)
      closeSync(stdout)
      wrapper.tell(`started ${launched.pid}`)
      mirror = connectSignals(wrapper, signals, launched)
      for (const signal of early) launched.signal(signal)
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

function connectSignals(wrapper: Wrapper, signals: Signals, launched: LaunchedJob): StopMirror {
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
  // What we hear in this turn may have been sent before the job was there.
  setImmediate(() =>
    setImmediate(() =>
      signals.deliverTo((signal) => {
        mirror.signalled(signal)
        relay.heard(signal)
      }),
    ),
  )
  wrapper.onReport((report) => {
    if (report === 'continued') mirror.wrapperContinued()
    else if (report === 'woken') relay.woken()
    else relay.reported(report)
  })
  process.on('SIGCHLD', () => mirror.look())
  if (wrapper.isDrowsy) setInterval(() => wrapper.tell(''), WAKE_MS).unref()
  return mirror
}

/** Whether a process is stopped: not by a debugger, which is its own business. */
function isStopped(pid: number): boolean {
  return readStat(pid)?.state === 'T'
}
