import type { Environment } from '../job/environment.js'
import type { EnclosingJob, ServedJob } from './engine.js'
import { engines } from './engines.js'

/** A job that a process is in, and whose it is. */
export interface FoundEnclosing extends EnclosingJob {
  /** The engine, for people. */
  readonly engine: string
}

/** The job of an engine that a process with these variables is in, as far as one of them says so. */
export function findEnclosing(
  environment: Readonly<Record<string, string | undefined>>,
): FoundEnclosing | undefined {
  for (const { title, enclosing } of engines) {
    const job = enclosing?.(environment)
    if (job !== undefined) return { engine: title, ...job }
  }
  return undefined
}

/**
 * The job that an engine has started this process for, to serve sessions into it in the place of sshd(8).
 * @param variables gives what this process was started with; called once for each engine
 * @throws SshjobError 'denied' where one has, and for which job can't be found out
 */
export async function findServed(variables: () => Environment): Promise<ServedJob | undefined> {
  for (const { serving } of engines) {
    const job = await serving?.(variables)
    if (job !== undefined) return job
  }
  return undefined
}
