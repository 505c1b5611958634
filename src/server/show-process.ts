import { EXIT_STATUS_DELAY_MS } from '../core/limits.js'
import type { Logger } from '../core/log.js'
import { waitNoLonger, withinTime } from '../core/within-time.js'
import type { JobProcess, ProcessEnd } from '../job/job.js'
import type { Channel } from '../ssh/channel.js'
import { boolean, string, uint32 } from '../ssh/wire.js'
import { copyOutput } from './copy-output.js'

/**
 * Shows a process on a channel: its output, its input, and how it ends. Resolves when the channel has been told all of
 * that, with its end, or, with undefined, when the channel is gone before: what becomes of the process then is for whoever
 * has started it to say. Never rejects.
 */
export async function showProcess(
  channel: Channel,
  process: JobProcess,
  log: Logger,
): Promise<ProcessEnd | undefined> {
  copyInput(channel, process, log)
  const copied = Promise.all([
    copyOutput(process.stdout, channel.output),
    process.stderr === undefined ? undefined : copyOutput(process.stderr, channel.outputExtended),
  ])
  const end = await Promise.race([process.ended, channel.closed])
  if (isEnd(end)) {
    // Output, exit status, EOF, close: the order that every client likes best (RFC 4254 §6.10). But as with sshd, the
    // status waits for nobody who holds the output, be it a process in the background or a client that doesn't read.
    const shown = Promise.race([copied, channel.closed])
    await withinTime(shown, EXIT_STATUS_DELAY_MS, waitNoLonger)
    if (!channel.isClosed) reportEnd(channel, end)
    await shown
  }
  if (channel.isClosed || !isEnd(end)) return undefined
  channel.output.end(() => channel.close())
  return end
}

/** Ends a channel on which something else than a process has ended with this status. */
export function endWithStatus(channel: Channel, exitCode: number): void {
  reportEnd(channel, { exitCode })
  channel.output.end(() => channel.close())
}

function copyInput(channel: Channel, { stdin }: JobProcess, log: Logger): void {
  const { input } = channel
  stdin.on('error', (error) => log.debug({ err: error }, 'the process does not read its input any more'))
  // Nobody reads any more: what still arrives is thrown away, and the client is told (eow).
  stdin.on('close', () => input.destroy())
  input.pipe(stdin, { end: false })
  // The end of a channel is none of the input's: another may show the process.
  input.once('end', () => {
    if (!channel.isClosed) stdin.end()
  })
}

function reportEnd(channel: Channel, end: ProcessEnd): void {
  if (end.signal === undefined) {
    channel.notify('exit-status', uint32(end.exitCode))
    return
  }
  const message = `terminated by signal ${end.signal}`
  channel.notify('exit-signal', string(end.signal), boolean(end.coreDumped), string(message), string(''))
}

function isEnd(value: object | undefined): value is ProcessEnd {
  return value !== undefined && ('exitCode' in value || 'signal' in value)
}
