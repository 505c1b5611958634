import { firstLine, SshjobError } from '../../core/errors.js'
import type { Queue } from './settings.js'
import { queueArguments, type RunOptions, runTool, type ToolRun } from './tools.js'

/** The attributes of a job ClassAd that are of use here. */
const ATTRIBUTES = [
  'ClusterId',
  'ProcId',
  'JobStatus',
  'Owner',
  'Cmd',
  'Arguments',
  'Args',
  'QDate',
  'EnteredCurrentStatus',
  'RemoteHost',
  'LastRemoteHost',
  'AllRemoteHosts',
  'TransferringInput',
  'TransferQueued',
  'HoldReason',
  'RemoveReason',
  'LastRejMatchReason',
  'ExitBySignal',
  'ExitCode',
  'ExitSignal',
] as const

/** A job ClassAd as JSON: attributes that a job has not are not there, expressions are strings. */
export type JobAd = Readonly<Partial<Record<(typeof ATTRIBUTES)[number], unknown>>>

/**
 * The jobs of the queue: this user's, as the schedd knows the user, or the one of this id.
 * @throws SshjobError 'unreachable' where the schedd does not answer, 'program-missing', 'aborted'
 */
export async function readQueue(id: string | undefined, queue: Queue, options: RunOptions): Promise<JobAd[]> {
  const args = [...(id === undefined ? [] : [id]), ...queueArguments(queue), ...format()]
  const run = await runTool('condor_q', args, options)
  if (run.exitCode !== 0) throw noAnswer(run)
  return parseAds(run.stdout)
}

/** The last entry of this job in the schedd's history, if there is one. @throws as readQueue() */
export async function readHistory(id: string, queue: Queue, options: RunOptions): Promise<JobAd | undefined> {
  const args = [id, ...queueArguments(queue), '-limit', '1', ...format()]
  const run = await runTool('condor_history', args, options)
  if (run.exitCode !== 0) throw noAnswer(run)
  return parseAds(run.stdout)[0]
}

function format(): string[] {
  return ['-json', '-attributes', ATTRIBUTES.join(',')]
}

/** What the tools print with -json: an array of objects, or nothing where there are no jobs. */
export function parseAds(text: string): JobAd[] {
  if (text.trim() === '') return []
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value.filter(isAd)
  } catch (error) {
    throw new SshjobError('unreachable', "The answer of HTCondor's tools can't be read.", { cause: error })
  }
  throw new SshjobError('unreachable', "The answer of HTCondor's tools is no list of jobs.")
}

function isAd(value: unknown): value is JobAd {
  return typeof value === 'object' && value !== null
}

function noAnswer(run: ToolRun): SshjobError {
  const said = firstLine(run.stderr) ?? firstLine(run.stdout) ?? `exit code ${run.exitCode}`
  return new SshjobError('unreachable', `HTCondor's schedd does not answer: ${said}`, { retry: true })
}
