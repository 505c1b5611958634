import { messageOf, SshjobError } from '../../core/errors.js'
import { DOOR_TIMEOUT_MS } from '../../core/limits.js'
import type { Logger } from '../../core/log.js'
import { printableJson } from '../../core/printable.js'
import { withinTime } from '../../core/within-time.js'
import { type ErrorOutput, errorOutput } from './error-output.js'
import { lineLog } from './line-log.js'
import { openLogWriter } from './log-writer.js'

export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface LogOptions {
  /** One of pino's names. */
  level: string
  /** Default: stderr. */
  file: string | undefined
  /** Lines for people, or one JSON object a line for collectors. */
  format: LogFormat
  /** What stderr is. Default: that of this process. */
  errors?: ErrorOutput
}

export interface ServerLog extends Logger {
  /** Before the process ends: what was logged is out then, or can't be got out. */
  flush(): Promise<void>
}

/**
 * A log on stderr or at the end of a file; never on stdout, which is the job's or the connection.
 * @throws SshjobError 'usage' if the file can't be written; 'unsafe-directory' where root would write in another user's
 */
export async function openLog({
  level,
  file,
  format,
  errors = errorOutput(),
}: LogOptions): Promise<ServerLog> {
  const writer = await openLogWriter(file, errors)
  const write = (line: string): void => writer.write(line)
  const log = format === 'text' ? lineLog(level, write) : await jsonLog(level, write)
  return { ...log, flush: () => writer.flush() }
}

/** The same for a job, which is not kept from running by a file, nor for long: the log goes to stderr then. */
export async function openJobLog(options: LogOptions): Promise<ServerLog> {
  const tooLate = (): never => {
    throw new SshjobError('not-answering', `The log file ${options.file} can't be opened: nothing answers.`)
  }
  try {
    return await withinTime(openLog(options), DOOR_TIMEOUT_MS, tooLate)
  } catch (error) {
    const log = await openLog({ ...options, file: undefined, format: 'text' })
    log.warn({}, `${messageOf(error)} It goes to stderr.`)
    return log
  }
}

/** Loaded where it is asked for only. */
async function jsonLog(level: string, write: (line: string) => void): Promise<Logger> {
  const { default: pino } = await import('pino')
  const log = pino(
    { level, name: 'sshjob-server', base: { starter: process.pid } },
    { write: (line) => write(printableJson(line)) },
  )
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}
