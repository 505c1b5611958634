import {
  type Argument,
  abortSignal,
  callback,
  checkCall,
  milliseconds,
  optional,
  options as optionsOf,
} from '../core/check-options.js'
import { SshjobError } from '../core/errors.js'
import type { EngineJob } from './engine.js'
import { type EngineSettings, engines, type SettingsByName } from './engines.js'
import { SETTINGS_CHECKS } from './settings-checks.js'

/** A job, and what runs it. */
export interface ListedJob extends EngineJob {
  /** 'local' for the jobs of sshjob-server on this machine, or else the name that an engine's jobs can be prefixed with. */
  engine: string
}

export interface ListJobsOptions extends EngineSettings {
  signal?: AbortSignal
  /** How long to wait for what does not answer, in milliseconds. Default: what each engine takes at most. */
  timeoutMs?: number
  /**
   * Gets what is not listed, in a sentence: the jobs of an engine that does not answer, or a job that nobody can enter
   * any more. Default: an engine that does not answer fails the call.
   */
  onFailure?: (failure: SshjobError) => void
}

const LIST_CALL: readonly Argument[] = [
  optional(
    'options',
    optionsOf<Record<string, unknown>>({
      signal: abortSignal,
      timeoutMs: milliseconds,
      onFailure: callback,
      ...SETTINGS_CHECKS,
    }),
  ),
]

/**
 * The jobs of this user that can be entered from here, and those that are not running yet: what `sshjob ls` shows. Those
 * of this machine come first.
 * @throws SshjobError 'unreachable' and the like without `onFailure`; 'aborted', 'usage'
 */
export async function listJobs(options: ListJobsOptions = {}): Promise<ListedJob[]> {
  checkCall('listJobs', [options], LIST_CALL)
  const { signal, timeoutMs, onFailure, ...given } = options
  const settings: SettingsByName = given
  const lists = await Promise.all(
    engines
      .filter((engine) => engine.isHere())
      .map(async (engine): Promise<ListedJob[]> => {
        try {
          const jobs = await engine.list(settings[engine.name] ?? {}, {
            signal,
            timeoutMs,
            onFailure: onFailure ?? (() => undefined),
          })
          return jobs.map((job) => ({ engine: engine.name, ...job }))
        } catch (error) {
          if (!(error instanceof SshjobError) || signal?.aborted) throw error
          const failure = new SshjobError(
            error.code,
            `The jobs of ${engine.name} are not listed. ${error.message}`,
            { cause: error, retry: error.retry },
          )
          if (onFailure === undefined) throw failure
          onFailure(failure)
          return []
        }
      }),
  )
  return lists.flat()
}
