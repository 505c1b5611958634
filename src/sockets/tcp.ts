import { lookup } from 'node:dns'
import net, { type LookupFunction } from 'node:net'
import { type BlockingCalls, ownCalls } from '../core/blocking-calls.js'
import { abortError, messageOf, SshjobError, systemCode } from '../core/errors.js'
import { formatAddress } from '../core/format-address.js'
import { FORWARD_ADDRESS_TIMEOUT_MS, FORWARD_CONNECT_TIMEOUT_MS } from '../core/limits.js'
import { onAbort } from '../core/on-abort.js'

/** connect(2) and getaddrinfo(3), for people. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this network',
}

export interface ConnectTcpOptions {
  signal?: AbortSignal | undefined
  /** Milliseconds. Default: FORWARD_CONNECT_TIMEOUT_MS. */
  timeoutMs?: number
  /** On whose account the name is looked up. Default: this process's. */
  calls?: BlockingCalls
}

/**
 * Connects to a host, by each of its addresses in turn. The stream may be half-closed, and waits for nothing before
 * it sends (TCP_NODELAY).
 * @throws SshjobError 'unreachable' (with the system's error as its cause), 'aborted'
 */
export function connectTcp(host: string, port: number, options: ConnectTcpOptions = {}): Promise<net.Socket> {
  const { signal, timeoutMs = FORWARD_CONNECT_TIMEOUT_MS, calls = ownCalls() } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw abortError(signal)
    const over = new AbortController()
    const socket = net.connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: FORWARD_ADDRESS_TIMEOUT_MS,
      lookup: lookUpBy(calls, over.signal),
    })
    const release = (): void => {
      over.abort()
      clearTimeout(timer)
      forgetSignal()
    }
    const give = (error: SshjobError): void => {
      release()
      socket.destroy()
      reject(error)
    }
    const onError = (error: Error): void => {
      const code = systemCode(error) ?? ''
      give(unreachable(host, port, REASONS[code] ?? messageOf(error), error))
    }
    const timer = setTimeout(() => give(unreachable(host, port, 'it does not answer')), timeoutMs)
    socket.once('connect', () => {
      release()
      // An 'error' that nobody hears ends the process, and the caller may have to wait before it can listen.
      socket.on('error', () => undefined).off('error', onError)
      resolve(socket)
    })
    socket.on('error', onError)
    const forgetSignal = onAbort(signal, give)
  })
}

/** As net.connect() looks names up, when there is a thread for it. */
function lookUpBy(calls: BlockingCalls, signal: AbortSignal): LookupFunction {
  return (host, options, done) => {
    const look = () =>
      new Promise<void>((resolve) =>
        lookup(host, options, (...found) => {
          done(...found)
          resolve()
        }),
      )
    calls.name(look, signal).catch(() => undefined) // given up: nobody waits
  }
}

/**
 * Listens on an address. Port 0 takes any that is free.
 * @throws SshjobError 'unreachable' with the system's error as its cause
 */
export function listenTcp(address: string, port: number): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true })
    server.once('error', (error) => {
      const code = systemCode(error)
      const why = code === 'EADDRINUSE' ? 'the port is in use' : messageOf(error)
      const message = `Port ${port} of ${address} can't be listened on: ${why}.`
      reject(new SshjobError('unreachable', message, { cause: error }))
    })
    // 'exclusive': a process of node:cluster would share it with its siblings.
    // '::' alone: 0.0.0.0 is a server of its own.
    server.listen({ host: address, port, exclusive: true, ipv6Only: true }, () => {
      server.removeAllListeners('error')
      resolve(server)
    })
  })
}

/** The port that a server listens on. */
export function portOf(server: net.Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function unreachable(host: string, port: number, why: string, cause?: Error): SshjobError {
  return new SshjobError('unreachable', `No connection to ${formatAddress(host, port)}: ${why}.`, { cause })
}
