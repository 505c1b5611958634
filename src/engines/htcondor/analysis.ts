import { SshjobError } from '../../core/errors.js'
import type { Queue } from './settings.js'
import { queueArguments, type RunOptions, runTool } from './tools.js'

/** The lines of the summary that `condor_q -better-analyze` ends with, and how they read in a sentence. */
const OUTCOMES = [
  [/^\s*(\d+) are rejected by your job's requirements/gm, "rejected by the job's requirements"],
  [
    /^\s*(\d+) reject your job because of their own requirements/gm,
    'not for this job by their own requirements',
  ],
  [/^\s*(\d+) match (?:and are already running|but are serving)/gm, 'busy with other jobs'],
  [/^\s*(\d+) are able to run your job/gm, 'free to run it'],
] as const

/**
 * Why no machine has been found for an idle job, for the inside of a sentence; undefined where HTCondor can't say. It
 * asks for every machine of the pool.
 */
export async function analyse(id: string, queue: Queue, options: RunOptions): Promise<string | undefined> {
  try {
    const args = [id, ...queueArguments(queue), '-better-analyze']
    const run = await runTool('condor_q', args, options)
    return run.exitCode === 0 ? summarise(run.stdout) : undefined
  } catch (error) {
    if (error instanceof SshjobError && error.code !== 'aborted') return undefined
    throw error
  }
}

/** 'of 12 slots, 10 rejected by the job's requirements and 2 busy with other jobs' */
export function summarise(analysis: string): string | undefined {
  const machines = /Of (\d+) machines,/.exec(analysis)?.[1]
  if (machines === undefined) return undefined
  const parts = OUTCOMES.flatMap(([pattern, what]) => {
    const count = [...analysis.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0)
    return count === 0 ? [] : [`${count} ${what}`]
  })
  if (parts.length === 0) return undefined
  const last = parts.pop()
  return `of ${machines} slots, ${parts.length === 0 ? '' : `${parts.join(', ')} and `}${last}`
}
