import { close, open, write } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { ownCalls } from '../../core/blocking-calls.js'
import { endSentence, messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { LOG_FLUSH_MS, LOG_QUEUE_BYTES, LOG_RETRY_MS } from '../../core/limits.js'
import { waitNoLonger, withinTime } from '../../core/within-time.js'
import { refuseForeignFile } from '../foreign-file.js'
import type { ErrorOutput } from './error-output.js'

/** Where the lines of a log go. */
export interface LogWriter {
  write(line: string): void
  /** Resolves when what was written is out, or LOG_FLUSH_MS have passed. */
  flush(): Promise<void>
}

/**
 * Writes lines to stderr, or to the end of a file, one after the other, and never waits itself: stderr is the job's, and
 * whoever reads it may have stopped, or its file system may hang. What is more than LOG_QUEUE_BYTES by then is left out,
 * and a line says so.
 * @throws SshjobError 'usage' if the file can't be opened; 'unsafe-directory' where root would write in another user's
 */
export async function openLogWriter(file: string | undefined, errors: ErrorOutput): Promise<LogWriter> {
  if (file !== undefined) return lineWriter(await openFile(file))
  const { write, flush } = lineWriter(errors.descriptor)
  return { flush, write: (line) => errors.delegate(line) || write(line) }
}

async function openFile(file: string): Promise<number> {
  try {
    const use = async (): Promise<number> => {
      await refuseForeignFile(file)
      return promisify(open)(file, 'a', 0o600)
    }
    return await ownCalls().file(resolve(file), use, { undo: (late) => close(late) })
  } catch (error) {
    if (error instanceof SshjobError && error.code === 'unsafe-directory') throw error
    throw new SshjobError(
      'usage',
      endSentence(`The log file ${file} can't be written: ${messageOf(error)}`),
      {
        cause: error,
      },
    )
  }
}

function lineWriter(descriptor: number): LogWriter {
  let waiting: Buffer[] = []
  let bytes = 0
  let left = 0
  let working: Promise<void> | undefined

  async function work(): Promise<void> {
    while (bytes > 0) {
      const chunk = Buffer.concat(waiting)
      waiting = []
      await writeAll(descriptor, chunk)
      bytes -= chunk.length
      if (left === 0 || bytes > 0) continue
      const lines = left
      left = 0
      push(Buffer.from(`sshjob-server: ${lines} lines of the log are left out here: nobody took them.\n`))
    }
    working = undefined
  }

  function push(line: Buffer): void {
    waiting.push(line)
    bytes += line.length
    working ??= work()
  }

  return {
    write(line) {
      if (bytes > LOG_QUEUE_BYTES) left += 1
      else push(Buffer.from(line))
    },
    flush() {
      return withinTime(working ?? Promise.resolve(), LOG_FLUSH_MS, waitNoLonger)
    },
  }
}

/** A full disk or a closed stderr must not end the job's starter; there is nowhere left to say it. */
async function writeAll(descriptor: number, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    try {
      at += await writeSome(descriptor, chunk.subarray(at))
    } catch (error) {
      // A pipe whose other end has made it non-blocking, open(2) O_NONBLOCK, and which is full.
      if (systemCode(error) !== 'EAGAIN') return
      await new Promise((resolve) => setTimeout(resolve, LOG_RETRY_MS))
    }
  }
}

function writeSome(descriptor: number, chunk: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, chunk, (error, written) => (error === null ? resolve(written) : reject(error)))
  })
}
