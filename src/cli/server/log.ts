import pino from 'pino'
import { messageOf, SshjobError, systemCode } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { type ErrorOutput, errorOutput } from './error-output.js'

/**
 * A log on stderr or in a file, one JSON object a line; never on stdout, which is the job's or the connection. Written
 * synchronously: what led to an end is there after it.
 * @throws SshjobError 'usage' if the file can't be written
 */
export function openLog(
  level: string,
  file: string | undefined,
  errors: ErrorOutput = errorOutput(),
): Logger {
  return pino({ level, name: 'sshjob-server', base: { starter: process.pid } }, openDestination(file, errors))
}

/** The same for a job, which is not kept from running by a file: the log goes to stderr then. */
export function openJobLog(level: string, file: string | undefined, errors: ErrorOutput): Logger {
  try {
    return openLog(level, file, errors)
  } catch (error) {
    const log = openLog(level, undefined, errors)
    log.warn({}, `${messageOf(error)} It goes to stderr.`)
    return log
  }
}

function openDestination(file: string | undefined, errors: ErrorOutput): pino.DestinationStream {
  if (file === undefined && errors.isTerminal) return errors
  try {
    const destination = pino.destination({
      dest: file ?? errors.descriptor,
      sync: true,
      append: true,
      mode: 0o600,
    })
    // A full disk or a closed stderr must not end the job's starter; there is nowhere left to say it.
    destination.on('error', () => undefined)
    return destination
  } catch (error) {
    throw new SshjobError('usage', `The log file ${file} can't be written: ${systemCode(error)}.`, {
      cause: error,
    })
  }
}
