import { isatty } from 'node:tty'
import { describeUnexpected, SshjobError, systemCode } from '../../core/errors.js'
import { EXIT_FAILURE } from '../../core/exit-failure.js'
import { printable } from '../../core/printable.js'

export { printable }

const STDIN = 0

/** Writes a line to stderr. In raw mode the terminal does not return the carriage by itself. */
export function say(text: string): void {
  // Made only where it is a terminal: Node.js would open a connection there a second time, and fail (EEXIST).
  const raw = isatty(STDIN) && process.stdin.isRaw
  const end = raw && process.stderr.isTTY ? '\r\n' : '\n'
  process.stderr.write(`${text.replaceAll('\n', end)}${end}`)
}

/** Says what went wrong in one sentence, and gives the status to exit with. */
export function reportFailure(error: unknown): number {
  if (error instanceof SshjobError) {
    say(`sshjob: ${printable(error.message)}`)
  } else {
    say(
      `sshjob: Something unexpected went wrong: ${printable(describeUnexpected(error))} (run again with -vv for more)`,
    )
  }
  return EXIT_FAILURE
}

/** Makes a reader who has had enough, such as head(1), no failure: the command is done all the same, and says no more. */
export function allowClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (systemCode(error) !== 'EPIPE') throw error
    })
  }
}

/**
 * Resolves when all that was written to stdout and stderr has left this process: pipes are written asynchronously,
 * and process.exit() would drop what is still queued.
 */
export async function flushOutput(): Promise<void> {
  const streams = [process.stdout, process.stderr].filter((stream) => stream.writable)
  await Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))),
  )
}
