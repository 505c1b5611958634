import { constants } from 'node:os'
import { endSentence, SshjobError } from '../../core/errors.js'
import { formatTime } from '../../core/format-time.js'
import type { EngineJob } from '../engine.js'
import { nodesOf } from './nodes.js'
import type { JobAd } from './queue.js'

/** JobStatus of the job ClassAd, which HTCondor's manual numbers so. */
const STATES = new Map<unknown, string>([
  [1, 'idle'],
  [2, 'running'],
  [3, 'removed'],
  [4, 'completed'],
  [5, 'held'],
  [6, 'transferring output'],
  [7, 'suspended'],
])

/** The state of a job in a word or two; 'running' is one that can be entered. */
export function stateOf(ad: JobAd): string {
  const state = STATES.get(ad.JobStatus) ?? 'unknown'
  return state === 'running' && ad.TransferringInput === true ? 'transferring input' : state
}

/** A job of the queue for the list: one line, or one for each node that can be entered; none for what is no job. */
export function describeJob(ad: JobAd): EngineJob[] {
  const { ClusterId: cluster, ProcId: proc } = ad
  if (typeof cluster !== 'number' || typeof proc !== 'number') return []
  const state = stateOf(ad)
  const since = number(ad.EnteredCurrentStatus) ?? number(ad.QDate)
  const command = [text(ad.Cmd) ?? '', text(ad.Arguments) ?? text(ad.Args) ?? '']
  const job = {
    id: `${cluster}.${proc}`,
    state,
    reason: state === 'held' ? text(ad.HoldReason) : state === 'idle' ? rejection(ad) : undefined,
    host: isAtHost(state) ? hostOf(ad) : undefined,
    user: text(ad.Owner) ?? '',
    since: since === undefined ? undefined : new Date(since * 1_000).toISOString(),
    command: command.filter((word) => word !== ''),
  }
  const slots = isAtHost(state) ? nodesOf(ad) : []
  if (slots.length < 2) return [job]
  return slots.map((slot, node) => ({ ...job, id: `${job.id}.${node}`, host: withoutSlot(slot) }))
}

function isAtHost(state: string): boolean {
  return state !== 'idle' && state !== 'held'
}

function hostOf(ad: JobAd): string | undefined {
  return withoutSlot(text(ad.RemoteHost) ?? text(ad.LastRemoteHost))
}

/** 'slot1_2@node7' is on node7. */
function withoutSlot(name: string | undefined): string | undefined {
  return name?.slice(name.lastIndexOf('@') + 1)
}

/**
 * Why a job in this state can't be entered, and whether waiting helps; undefined where the state is not the reason.
 * @param failure what was tried and failed
 * @param findings what is known beyond the ad of an idle job: 'of 2 slots, 2 rejected by …'
 */
export function explainState(
  id: string,
  ad: JobAd,
  failure: SshjobError,
  findings?: string,
): SshjobError | undefined {
  const state = stateOf(ad)
  switch (state) {
    case 'idle': {
      const why = findings ?? rejection(ad)
      return notStarted(
        `Job ${id} is idle: it is not matched to a machine yet${why === undefined ? '' : ` (${why})`}.`,
      )
    }
    case 'transferring input':
      return notStarted(
        `Job ${id} is not running yet: its input is on the way to ${hostOf(ad) ?? 'its host'}.`,
      )
    case 'suspended':
      return notStarted(`Job ${id} is suspended: HTCondor lets nobody in until it goes on.`)
    case 'running':
      // Its own failure says more, if it is one.
      return failure.code === 'job-not-started'
        ? notStarted(`Job ${id} is about to start on ${hostOf(ad) ?? 'its host'}.`)
        : undefined
    case 'held':
      return new SshjobError(
        'job-held',
        `Job ${id} is on hold: ${endSentence(text(ad.HoldReason) ?? 'HTCondor does not say why')} ` +
          `Waiting does not help: 'condor_release ${id}' lets it run again.`,
      )
    case 'transferring output':
      return ended(`Job ${id} has ended: its output is on the way back.`)
    case 'removed':
    case 'completed':
      return ended(describeEnd(id, ad))
    default:
      return undefined
  }
}

function describeEnd(id: string, ad: JobAd): string {
  const seconds = number(ad.EnteredCurrentStatus)
  const when = seconds === undefined ? '' : ` at ${formatTime(new Date(seconds * 1_000))}`
  if (stateOf(ad) === 'removed') {
    return endSentence(
      `Job ${id} was removed${when}: ${text(ad.RemoveReason) ?? 'HTCondor does not say why'}`,
    )
  }
  if (ad.ExitBySignal === true) return `Job ${id} ended${when}, by signal ${signalName(ad.ExitSignal)}.`
  return `Job ${id} ended${when}${typeof ad.ExitCode === 'number' ? `, with exit status ${ad.ExitCode}` : ''}.`
}

function signalName(signal: unknown): string {
  const name = Object.entries(constants.signals).find(([, value]) => value === signal)?.[0]
  return name?.slice('SIG'.length) ?? String(signal)
}

/** What the negotiator said last, in small letters and without a full stop: 'no match found'. */
function rejection(ad: JobAd): string | undefined {
  return text(ad.LastRejMatchReason)?.replace(/[\s.]+$/, '')
}

function notStarted(message: string): SshjobError {
  return new SshjobError('job-not-started', message, { retry: true })
}

function ended(message: string): SshjobError {
  return new SshjobError('job-ended', message)
}

/** Texts of others end up on the screen: one line each, and never empty. */
function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const line = value.replaceAll(/\s+/g, ' ').trim()
  return line === '' ? undefined : line
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
