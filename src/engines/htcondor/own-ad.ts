import type { EnclosingJob } from '../engine.js'
import { numberOf, readJobAd, textOf } from './job-ad.js'

/** The job that a process of it finds itself in, by the description that HTCondor names in its environment. */
export function enclosingJob({
  _CONDOR_JOB_AD: file,
}: Readonly<Record<string, string | undefined>>): EnclosingJob | undefined {
  if (file === undefined) return undefined
  const ad = readJobAd(file)
  const [cluster, proc] = [numberOf(ad, 'ClusterId'), numberOf(ad, 'ProcId')]
  if (cluster === undefined || proc === undefined) return undefined
  const since = numberOf(ad, 'JobCurrentStartDate')
  const command = textOf(ad, 'Cmd')
  return {
    id: `${cluster}.${proc}`,
    command: command === undefined ? [] : [command],
    since: since === undefined ? undefined : new Date(since * 1_000),
  }
}
