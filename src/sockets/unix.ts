import fs from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { type BlockingCalls, ownCalls } from '../core/blocking-calls.js'
import { abortError, messageOf, SshjobError, systemCode } from '../core/errors.js'
import { CONNECT_BUSY_MS, SOCKET_PATH_MAX_BYTES } from '../core/limits.js'
import { onAbort } from '../core/on-abort.js'
import { orAbort } from '../core/or-abort.js'

const BUSY_PAUSE_MS = 20

export interface ConnectUnixOptions {
  signal?: AbortSignal | undefined
  /** On whose account the path is looked up. Default: this process's. */
  calls?: BlockingCalls
}

/**
 * Connects to a unix socket. The stream may be half-closed: the end of one direction leaves the other open.
 * @throws SshjobError 'unreachable' (with the system's error as its cause), 'usage' for a path too long, 'aborted',
 *   'not-answering'
 */
export async function connectUnix(
  target: string,
  { signal, calls = ownCalls() }: ConnectUnixOptions = {},
): Promise<net.Socket> {
  checkSocketPath(target)
  for (let left = CONNECT_BUSY_MS; ; left -= BUSY_PAUSE_MS) {
    try {
      await orAbort(lookUp(target, calls), signal)
      return await connectOnce(target, signal)
    } catch (error) {
      // A blocking connect(2) would wait here: the queue of connections that wait to be accepted is full.
      if (!(error instanceof SshjobError && error.code === 'unreachable' && error.retry) || left <= 0)
        throw error
    }
    await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS))
  }
}

/** connect(2) looks the path up in the event loop, which a file system that does not answer would stop: not before it has. */
async function lookUp(target: string, calls: BlockingCalls): Promise<void> {
  const absolute = path.resolve(target)
  await calls
    .file(absolute, () => fs.stat(absolute))
    .catch((error: unknown) => {
      // Whatever is wrong, connect(2) says it as well.
      if (error instanceof SshjobError) throw error
    })
}

/** A server for listenUnix(). Whoever listens for its 'connection' before it has a name misses none. */
export function unixServer(): net.Server {
  return net.createServer({ allowHalfOpen: true })
}

function connectOnce(target: string, signal: AbortSignal | undefined): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw abortError(signal)
    const socket = net.connect({ path: target, allowHalfOpen: true })
    const release = (): void => {
      socket.off('error', onError).off('connect', onConnect)
      forgetSignal()
    }
    const onConnect = (): void => {
      release()
      resolve(socket)
    }
    const onError = (error: Error): void => {
      release()
      reject(unreachable(target, error))
    }
    socket.once('connect', onConnect).once('error', onError)
    const forgetSignal = onAbort(signal, (reason) => {
      release()
      socket.destroy()
      reject(reason)
    })
  })
}

/** libuv cuts a longer path in silence, and another file would be meant. @throws SshjobError 'usage' */
export function checkSocketPath(target: string): void {
  const bytes = Buffer.byteLength(target)
  if (bytes > SOCKET_PATH_MAX_BYTES) {
    throw new SshjobError(
      'usage',
      `The path ${target} has ${bytes} bytes, and a unix socket's may have ${SOCKET_PATH_MAX_BYTES}.`,
    )
  }
  if (bytes === 0 || target.includes('\0'))
    throw new SshjobError('usage', 'The path of a socket is empty or not valid.')
}

function unreachable(target: string, error: Error): SshjobError {
  const code = systemCode(error)
  // connect(2), and unix(7): EAGAIN means that the queue of connections not yet accepted is full.
  const why =
    code === 'ENOENT' ? 'there is no socket' : code === 'ECONNREFUSED' ? 'nobody listens' : messageOf(error)
  return new SshjobError('unreachable', `No connection to ${target}: ${why}.`, {
    cause: error,
    retry: code === 'EAGAIN',
  })
}
