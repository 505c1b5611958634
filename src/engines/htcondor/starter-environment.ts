import { closeSync, readFileSync } from 'node:fs'
import { messageOf, SshjobError } from '../../core/errors.js'
import { type Environment, parseEnvironment, readEnvironment } from '../../job/environment.js'

/** The descriptor from which the server reads them, in base64, and the variable that says that there are some. */
export const ENVIRONMENT_AT = 3
export const VARIABLE = 'SSHJOB_ENVIRONMENT_AT'

/**
 * The variables that HTCondor's starter has given to a session's server: the job's, and the starter's own over them. The
 * launcher that `sshjob htcondor install` writes doesn't hand them on as ours, but on a descriptor. To be called once.
 * @param readOwn how they are read where there is no such launcher
 * @throws SshjobError 'denied' where they can't be read: without them it is not known what job this is
 */
export function readStarterEnvironment(readOwn: () => Environment = readEnvironment): Environment {
  if (process.env[VARIABLE] === undefined) return readOwn()
  let environment: Environment
  try {
    const text = readFileSync(ENVIRONMENT_AT, 'latin1')
    closeSync(ENVIRONMENT_AT)
    environment = parseEnvironment(Buffer.from(text, 'base64'))
  } catch (error) {
    throw denied(messageOf(error), error)
  }
  if (environment.has('_CONDOR_SCRATCH_DIR')) return environment
  throw denied('they are none of a job of HTCondor')
}

function denied(why: string, cause?: unknown): SshjobError {
  return new SshjobError(
    'denied',
    `The variables of the job can't be read from the launcher of this program: ${why}.`,
    { cause },
  )
}
