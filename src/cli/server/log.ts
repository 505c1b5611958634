import pino from 'pino'
import { SshjobError, systemCode } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'

const STDERR = 2

/**
 * A log on stderr or in a file, one JSON object a line; never on stdout, which is the job's or the connection. Written
 * synchronously: what led to an end is there after it.
 * @throws SshjobError 'usage' if the file can't be written
 */
export function openLog(level: string, file: string | undefined): Logger {
  return pino({ level, name: 'sshjob-server', base: { starter: process.pid } }, openDestination(file))
}

function openDestination(file: string | undefined): pino.DestinationStream {
  try {
    const destination = pino.destination({ dest: file ?? STDERR, sync: true, append: true, mode: 0o600 })
    // A full disk or a closed stderr must not end the job's starter; there is nowhere left to say it.
    destination.on('error', () => undefined)
    return destination
  } catch (error) {
    throw new SshjobError('usage', `The log file ${file} can't be written: ${systemCode(error)}.`, {
      cause: error,
    })
  }
}
