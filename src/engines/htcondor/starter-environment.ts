import { readFileSync } from 'node:fs'
import { messageOf, SshjobError } from '../../core/errors.js'
import { type Environment, parseEnvironment, readEnvironment } from '../../job/environment.js'

/** The number of our parent, where that is the launcher that `sshjob htcondor install` writes. */
export const ENVIRONMENT_OF = 'SSHJOB_ENVIRONMENT_OF'

/**
 * The variables that HTCondor's starter has given to a session's server: the job's, and the starter's own over them. They
 * are those of the launcher, where there is one, which has not handed them on to us.
 * @throws SshjobError 'denied' where the launcher's can't be read: without them it is not known what job this is
 */
export function readStarterEnvironment(): Environment {
  const own = readEnvironment()
  const launcher = own.get(ENVIRONMENT_OF)?.toString()
  if (launcher === undefined) return own
  try {
    if (launcher !== String(process.ppid)) throw new Error('it has ended')
    return parseEnvironment(readFileSync(`/proc/${launcher}/environ`))
  } catch (error) {
    throw new SshjobError(
      'denied',
      `The variables of the job can't be read from the program that has started this one: ${messageOf(error)}.`,
      { cause: error },
    )
  }
}
