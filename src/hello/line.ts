import type { Duplex } from 'node:stream'
import { abortError, endSentence, messageOf, SshjobError } from '../core/errors.js'
import { HELLO_MAX_BYTES } from '../core/limits.js'
import { onAbort } from '../core/on-abort.js'

export interface LineOptions {
  /** Milliseconds until 'hello-timeout'. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Sees the bytes so far whenever more arrive; throws to refuse them before the line is complete. */
  check: (received: Buffer) => void
}

const NEWLINE = 0x0a

/**
 * Reads one line, without its line end, and not one byte more: what arrived behind it is given back to the stream.
 * Afterwards the stream has none of our listeners and does not flow: a 'data' listener, pipe() or read() starts it.
 * From then on the caller must listen for 'error'.
 *
 * 'readable' and read() are used, not 'data' and pause(): a stream that was paused explicitly stays so when the
 * next owner adds a 'data' listener.
 * @throws SshjobError 'hello-invalid', 'hello-timeout', 'connection-lost', 'aborted'
 */
export function readLine(stream: Duplex, options: LineOptions): Promise<Buffer> {
  const { timeoutMs, signal, check } = options
  return new Promise((resolve, reject) => {
    // Room for the longest line at once: a line that comes in single bytes must not cost a copy for each.
    const buffer = Buffer.allocUnsafe(HELLO_MAX_BYTES)
    let length = 0
    let settled = false

    const settle = (outcome: () => void): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      stream.off('readable', onReadable)
      // Node.js leaves its 'readable' mode in the next tick only; whoever awaits us finds a stream in its first state.
      process.nextTick(() => {
        stream.off('end', onEnd).off('close', onEnd).off('error', onError)
        forgetSignal()
        outcome()
      })
    }
    const fail = (error: SshjobError): void => settle(() => reject(error))
    const onEnd = (): void =>
      fail(lost('The other side closed the connection before its hello was complete.'))
    const onError = (error: Error): void =>
      fail(lost(endSentence(`The connection failed during the hello: ${messageOf(error)}`), error))

    const take = (chunk: Buffer): void => {
      const newline = chunk.indexOf(NEWLINE)
      const part = newline < 0 ? chunk : chunk.subarray(0, newline)
      const fits = length + part.length < HELLO_MAX_BYTES
      length += part.copy(buffer, length)
      check(buffer.subarray(0, length))
      if (!fits) {
        throw new SshjobError(
          'hello-invalid',
          `The other side's hello is longer than ${HELLO_MAX_BYTES} bytes.`,
        )
      }
      if (newline < 0) return
      settle(() => resolve(buffer.subarray(0, length)))
      const rest = chunk.subarray(newline + 1)
      if (rest.length > 0) stream.unshift(rest)
    }

    const onReadable = (): void => {
      try {
        while (!settled) {
          const chunk: unknown = stream.read()
          if (chunk === null) return
          if (!Buffer.isBuffer(chunk)) {
            throw new SshjobError('hello-invalid', 'The stream gives something else than bytes.')
          }
          take(chunk)
        }
      } catch (error) {
        fail(error instanceof SshjobError ? error : lost('The connection could not be read.', error))
      }
    }

    const timer = setTimeout(() => {
      fail(
        new SshjobError('hello-timeout', `The other side sent no complete hello in ${timeoutMs / 1000} s.`),
      )
    }, timeoutMs)
    stream.on('end', onEnd).on('close', onEnd).on('error', onError)
    const forgetSignal = onAbort(signal, fail)
    if (signal?.aborted) return
    if (!stream.readable) onEnd()
    else stream.on('readable', onReadable)
  })
}

/**
 * Writes and waits until the stream has taken it.
 * @throws SshjobError 'connection-lost', 'hello-timeout', 'aborted'
 */
export function writeLine(
  stream: Duplex,
  line: Buffer,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const { timeoutMs, signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw abortError(signal)
    const finish = (error?: SshjobError): void => {
      clearTimeout(timer)
      stream.off('error', onError).off('close', onClose)
      forgetSignal()
      if (error === undefined) resolve()
      else reject(error)
    }
    const onError = (error: Error): void =>
      finish(lost(`The connection failed during the hello: ${messageOf(error)}.`, error))
    const onClose = (): void => finish(lost('The connection was closed during the hello.'))
    const timer = setTimeout(() => {
      finish(
        new SshjobError('hello-timeout', `The other side did not read our hello in ${timeoutMs / 1000} s.`),
      )
    }, timeoutMs)
    stream.on('error', onError).on('close', onClose)
    const forgetSignal = onAbort(signal, finish)
    if (!stream.writable) onClose()
    // A failed write is told to its callback first and to 'error' in a later tick: wait for the latter, so that it
    // never meets a stream without a listener.
    else stream.write(line, (error) => (error ? undefined : finish()))
  })
}

export function lost(message: string, cause?: unknown): SshjobError {
  return new SshjobError('connection-lost', message, { cause })
}
