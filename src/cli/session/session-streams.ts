import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { endSentence, messageOf, SshjobError, systemCode } from '../../core/errors.js'
import type { EscapeCommand, EscapeParser } from '../terminal/escapes.js'

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
  if (failure !== undefined && systemCode(failure) !== 'EPIPE') {
    const what = `What the job sends can't be written: ${messageOf(failure)}`
    throw new SshjobError('file-failed', endSentence(what), { cause: failure })
  }
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

/** Something that takes the keys for a while, instead of the remote terminal. */
export interface KeyReader {
  /** Gives back the keys that are not for it any more, which wait until it is done. */
  push(keys: Buffer): Buffer | undefined
  /** Never rejects. */
  readonly done: Promise<void>
}

/** Copies what a person types to a remote terminal, and takes the escapes out. */
export function copyKeys(
  local: Readable,
  remote: Writable,
  parser: EscapeParser,
  run: (command: EscapeCommand) => KeyReader | undefined,
): void {
  let open = true
  let reader: KeyReader | undefined
  /** Whether the reader has all that it needs, and is not done yet. */
  let busy = false
  /** Keys as they came: who gets them, and whether they are escapes, is open until it is their turn. */
  const waiting: Buffer[] = []

  const stop = (): void => {
    open = false
    local.resume()
  }
  remote.on('error', stop)
  remote.on('close', stop)
  remote.on('drain', () => local.resume())

  const setReader = (next: KeyReader | undefined): void => {
    reader = next
    next?.done.then(() => {
      reader = undefined
      busy = false
      work()
    })
  }
  const pass = (keys: Buffer): void => {
    for (const event of parser.push(keys)) {
      // Escapes are for the person, who may need ~. when nothing else goes.
      if (event.command === undefined) {
        if (open && !remote.write(event.data)) local.pause()
        continue
      }
      setReader(run(event.command))
      if (reader === undefined) continue
      // Where the line was, it is when the reader is done, whatever keys ended that.
      parser.startLine()
      waiting.unshift(event.rest)
      return
    }
  }
  const work = (): void => {
    while (!busy) {
      const keys = waiting.shift()
      if (keys === undefined) return
      if (keys.length === 0) continue
      if (reader === undefined) {
        pass(keys)
        continue
      }
      const rest = reader.push(keys)
      if (rest === undefined) continue
      busy = true
      waiting.unshift(rest)
    }
  }
  local.on('data', (chunk: Buffer) => {
    waiting.push(chunk)
    work()
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
