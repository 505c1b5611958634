import { endSentence, SshjobError } from '../../core/errors.js'

/** A line that condor_ssh_to_job says by itself to whoever is at the terminal. */
const HINT = /^\(Use -auto-retry/

const DENIED = /not authorized|denied by|ENABLE_SSH_TO_JOB|permission denied|authentication|AUTHENTICATE/i
const NO_SCHEDD = /find address of|no such schedd|can't connect to schedd|failed to connect/i
const KEYS = /ssh-?keygen|create ssh key/i

/** What condor_ssh_to_job failed with, from its stderr: its own words in one sentence, under a code of ours. */
export function describeFailure(stderr: string, cause?: unknown): SshjobError {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const retry = lines.some((line) => HINT.test(line))
  const said = lines.filter((line) => !HINT.test(line)).map((line) => line.replace(/^ERROR:\s*/, ''))
  // It says nothing where waiting helps: the starter is there, and not ready yet.
  if (retry && said.length === 0) {
    return new SshjobError('job-not-started', 'HTCondor is about to start the job.', { cause, retry })
  }
  const what = said.length === 0 ? 'it did not say why' : said.join('; ')
  const message = endSentence(`HTCondor did not let us into the job: ${what}`)
  if (said.some((line) => DENIED.test(line))) return new SshjobError('denied', message, { cause })
  // A schedd that is restarted is back in a minute.
  const transient = retry || said.some((line) => NO_SCHEDD.test(line))
  return new SshjobError('unreachable', message, { cause, retry: transient })
}

/** Whether the failure is that of the program that makes the session's key on the execution point. */
export function isAboutKeys(error: unknown): boolean {
  return error instanceof SshjobError && error.code === 'unreachable' && KEYS.test(error.message)
}
