import net from 'node:net'
import { abortError, messageOf, SshjobError, systemCode } from '../core/errors.js'
import { CONNECT_BUSY_MS, SOCKET_PATH_MAX_BYTES } from '../core/limits.js'

const BUSY_PAUSE_MS = 20

/**
 * Connects to a unix socket. The stream may be half-closed: the end of one direction leaves the other open.
 * @throws SshjobError 'unreachable' (with the system's error as its cause), 'usage' for a path too long, 'aborted'
 */
export async function connectUnix(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<net.Socket> {
  checkSocketPath(path)
  for (let left = CONNECT_BUSY_MS; ; left -= BUSY_PAUSE_MS) {
    try {
      return await connectOnce(path, options.signal)
    } catch (error) {
      // A blocking connect(2) would wait here: the queue of connections that wait to be accepted is full.
      if (!(error instanceof SshjobError && error.retry) || left <= 0) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS))
  }
}

function connectOnce(path: string, signal: AbortSignal | undefined): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw abortError(signal)
    const socket = net.connect({ path, allowHalfOpen: true })
    const release = (): void => {
      socket.off('error', onError).off('connect', onConnect)
      signal?.removeEventListener('abort', onAbort)
    }
    const onConnect = (): void => {
      release()
      resolve(socket)
    }
    const onError = (error: Error): void => {
      release()
      reject(unreachable(path, error))
    }
    const onAbort = (): void => {
      release()
      socket.destroy()
      if (signal !== undefined) reject(abortError(signal))
    }
    socket.once('connect', onConnect).once('error', onError)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** A server for listenUnix(). Whoever listens for its 'connection' before it has a name misses none. */
export function unixServer(): net.Server {
  return net.createServer({ allowHalfOpen: true })
}

/**
 * Listens on a unix socket that only this user can connect to (mode 0600, whatever the umask).
 * @throws SshjobError 'unreachable' if the path can't be bound, 'usage' if it is too long
 */
export function listenUnix(path: string, server = unixServer()): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    checkSocketPath(path)
    const onError = (error: Error): void => {
      const message = `No socket can be opened at ${path}: ${messageOf(error)}.`
      reject(new SshjobError('unreachable', message, { cause: error }))
    }
    server.once('error', onError)
    server.once('listening', () => {
      server.off('error', onError)
      resolve(server)
    })
    // bind(2) happens within listen(), and the socket never exists with another mode.
    const umask = process.umask(0o177)
    try {
      server.listen({ path })
    } finally {
      process.umask(umask)
    }
  })
}

/** libuv cuts a longer path in silence, and another file would be meant. @throws SshjobError 'usage' */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes > SOCKET_PATH_MAX_BYTES) {
    throw new SshjobError(
      'usage',
      `The path ${path} has ${bytes} bytes, and a unix socket's may have ${SOCKET_PATH_MAX_BYTES}.`,
    )
  }
  if (bytes === 0 || path.includes('\0'))
    throw new SshjobError('usage', 'The path of a socket is empty or not valid.')
}

function unreachable(path: string, error: Error): SshjobError {
  const code = systemCode(error)
  // connect(2), and unix(7): EAGAIN means that the queue of connections not yet accepted is full.
  const why =
    code === 'ENOENT' ? 'there is no socket' : code === 'ECONNREFUSED' ? 'nobody listens' : messageOf(error)
  return new SshjobError('unreachable', `No connection to ${path}: ${why}.`, {
    cause: error,
    retry: code === 'EAGAIN',
  })
}
