import { hostname } from 'node:os'
import { findEnclosing } from '../../engines/enclosing-job.js'
import type { ErrorOutput } from './error-output.js'

export interface Announced {
  id: string
  user: string
  /** The socket that was asked for by its path; undefined: one that is found by the id. */
  listen?: string | undefined
}

/**
 * How to enter this job, and from where, as one line: for the log of a batch system, which is where somebody looks who
 * wants to.
 * @param environment where a batch system says what it calls this job
 */
export function announcement(
  { id, user, listen }: Announced,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const here = `on ${hostname()} as ${user}`
  if (listen !== undefined) {
    return `sshjob-server: Whoever reaches ${listen} ${here} enters job ${id}: sshjob --proxy-command 'socat - UNIX:${listen}' ${id}`
  }
  const enclosing = findEnclosing(environment)
  const elsewhere =
    enclosing === undefined ? '' : `, or where ${enclosing.engine} has it: sshjob ${enclosing.id}`
  return `sshjob-server: To enter this job, ${here}: sshjob ${id}${elsewhere}`
}

/** Writes it to stderr, or not at all: neither a reader who doesn't read nor one who has gone keeps the job waiting. */
export function announce(announced: Announced, errors: ErrorOutput): void {
  errors.writeLater(`${announcement(announced)}\n`)
}
