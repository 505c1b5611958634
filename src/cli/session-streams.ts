import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { systemCode } from '../core/errors.js'
import type { EscapeCommand, EscapeParser } from './terminal/escapes.js'

/**
 * Copies a remote output to one of ours until it ends. When nobody reads ours any more (`| head -1`), the remote one
 * is closed, so that the command gets SIGPIPE as it would here; that is no error.
 * @returns false if our output was closed by its reader
 */
export async function copyOutput(remote: Readable, local: Writable): Promise<boolean> {
  let failure: Error | undefined
  const fail = (error: Error): void => {
    failure ??= error
    remote.unpipe(local)
    remote.destroy()
  }
  local.on('error', fail)
  remote.pipe(local, { end: false })
  try {
    await finished(remote, { writable: false })
  } catch (error) {
    // A remote output that we closed ourselves ends early by design; why any other one does, `ended` says.
    if (failure === undefined && systemCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
  if (failure !== undefined && systemCode(failure) !== 'EPIPE') throw failure
  return failure === undefined
}

/** Copies our input to a remote one until either ends. Nobody waits for it: the remote process may end first. */
export function copyInput(local: Readable, remote: Writable): void {
  // A process that reads no more is none of the input's business: it stops here.
  remote.on('error', () => local.unpipe(remote))
  // A terminal that has gone, or a file that can't be read: the end of the input.
  local.on('error', () => remote.end())
  local.pipe(remote)
}

/** Copies what a person types to a remote terminal, and takes the escapes out. */
export function copyKeys(
  local: Readable,
  remote: Writable,
  parser: EscapeParser,
  run: (command: EscapeCommand) => void,
): void {
  let open = true
  const stop = (): void => {
    open = false
    local.resume()
  }
  remote.on('error', stop)
  remote.on('close', stop)
  remote.on('drain', () => local.resume())
  local.on('data', (chunk: Buffer) => {
    // Escapes are for the person, who may need ~. when nothing else goes.
    for (const event of parser.push(chunk)) {
      if (event.command !== undefined) run(event.command)
      else if (open && !remote.write(event.data)) local.pause()
    }
  })
  const end = (): void => {
    if (!open) return
    const left = parser.flush()
    if (left.length > 0) remote.write(left)
    remote.end()
  }
  local.on('end', end)
  local.on('error', end)
}
