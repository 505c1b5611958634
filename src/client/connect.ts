import type { Duplex } from 'node:stream'
import { checkCall } from '../core/check-options.js'
import { deferred } from '../core/deferred.js'
import { abortError, asSshjobError, SshjobError } from '../core/errors.js'
import { LOGIN_GRACE_MS } from '../core/limits.js'
import { silent } from '../core/log.js'
import { onAbort } from '../core/on-abort.js'
import { sendClientHello } from '../hello/exchange.js'
import type { JobInfo } from '../hello/messages.js'
import { offerKey, requestAuthentication } from '../ssh/authentication.js'
import { Connection } from '../ssh/connection.js'
import { generateKey, type ParsedKey, parseKey } from '../ssh/keys.js'
import { Transport } from '../ssh/transport.js'
import { OPEN_FAILURE } from '../ssh/wire.js'
import { CONNECT_CALL, checkConnection, checkFiles } from './check-calls.js'
import { forwardDynamic, forwardLocal } from './forwarding/local.js'
import { openStream } from './forwarding/open.js'
import { IncomingChannels } from './forwarding/remote.js'
import { startProcess, startShell, startSubsystem } from './process.js'
import { remoteFiles } from './sftp/remote-files.js'
import type { RemoteFiles } from './sftp/types.js'
import type {
  ConnectOptions,
  Endpoint,
  ExecOptions,
  Forwarding,
  ForwardOptions,
  JobConnection,
  ListenAt,
  OpenOptions,
  RemoteProcess,
  ShellOptions,
  SubsystemOptions,
} from './types.js'

/**
 * Opens an SSH connection into a job over a stream that leads to its server.
 *
 * Unless `credentials` say otherwise, both ends exchange fresh keys in the hello first, and the server has to prove
 * that it holds the one it named.
 *
 * @throws SshjobError what the server refused with, or 'hello-invalid', 'hello-timeout', 'host-key-mismatch',
 *   'authentication-failed', 'protocol-error', 'connection-lost', 'aborted', 'usage'. The stream is destroyed then.
 */
export async function connect(stream: Duplex, options: ConnectOptions = {}): Promise<JobConnection> {
  checkCall('connect', [stream], CONNECT_CALL.slice(0, 1))
  try {
    checkCall('connect', [stream, options], CONNECT_CALL)
    options.signal?.throwIfAborted()
    return await openConnection(stream, await exchangeKeys(stream, options), options)
  } catch (error) {
    stream.destroy()
    if (error instanceof SshjobError && error.code === 'usage') throw error
    if (options.signal?.aborted) throw abortError(options.signal)
    throw asSshjobError(error)
  }
}

interface Keys {
  privateKey: ParsedKey
  hostKey: ParsedKey
  job: JobInfo | undefined
}

async function exchangeKeys(stream: Duplex, options: ConnectOptions): Promise<Keys> {
  if (options.credentials !== undefined) {
    const { privateKey, hostKey } = options.credentials
    return { privateKey: parseKey(privateKey), hostKey: parseKey(hostKey), job: undefined }
  }
  const key = generateKey()
  const answer = await sendClientHello(stream, { publicKey: key.publicKey }, { signal: options.signal })
  if (answer.hostKey === undefined) {
    throw new SshjobError(
      'hello-invalid',
      'The server did not name its host key; it may be of another version.',
    )
  }
  return {
    privateKey: parseKey(key.privateKey),
    hostKey: parseAnnouncedKey(answer.hostKey),
    job: answer.job,
  }
}

function parseAnnouncedKey(text: string): ParsedKey {
  try {
    return parseKey(text)
  } catch (error) {
    throw new SshjobError('hello-invalid', 'The host key that the server named is not one that SSH knows.', {
      cause: error,
    })
  }
}

function openConnection(
  stream: Duplex,
  { privateKey, hostKey, job }: Keys,
  options: ConnectOptions,
): Promise<JobConnection> {
  return new Promise((resolve, reject) => {
    const closing = deferred<SshjobError | undefined>()
    const grace = setTimeout(() => {
      transport.close(
        new SshjobError('connection-lost', 'The server did not answer in time.', { retry: true }),
      )
    }, LOGIN_GRACE_MS)
    const transport: Transport = new Transport({
      stream,
      side: { role: 'client', hostKey },
      handlers: offerKey(
        options.username ?? 'job',
        privateKey,
        { close: (cause, reason) => transport.close(cause, reason) },
        () => {
          clearTimeout(grace)
          transport.authenticated = true
          resolve(checkConnection(new Client(transport, connection, incoming, job, closing.promise)))
        },
      ),
      onReady: () => requestAuthentication(transport.authentication),
      onMessage: (type, payload) => connection.receive(type, payload),
      onClosed: (cause) => {
        clearTimeout(grace)
        connection.finish(cause)
        closing.resolve(cause)
        reject(cause ?? new SshjobError('connection-closed', 'The connection was closed.'))
      },
      log: options.log ?? silent,
    })
    const incoming = new IncomingChannels()
    const connection = new Connection(transport, {
      onChannelOpen: (type, data) =>
        incoming.open(type, data) ?? {
          refuse: OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE,
          message: `channels of type ${type} were not asked for`,
        },
      onGlobalRequest: (name) => name === 'keepalive@openssh.com',
    })
    void closing.promise.then(onAbort(options.signal, (reason) => transport.close(reason)))
  })
}

class Client implements JobConnection {
  readonly job: JobInfo | undefined
  readonly closed: Promise<SshjobError | undefined>
  readonly files: RemoteFiles
  readonly #transport: Transport
  readonly #connection: Connection
  readonly #incoming: IncomingChannels

  constructor(
    transport: Transport,
    connection: Connection,
    incoming: IncomingChannels,
    job: JobInfo | undefined,
    closed: Promise<SshjobError | undefined>,
  ) {
    this.job = job
    this.closed = closed
    this.#transport = transport
    this.#connection = connection
    this.#incoming = incoming
    this.files = checkFiles(remoteFiles(() => connection.open('session')))
  }

  exec(command: string | Buffer, options: ExecOptions = {}): Promise<RemoteProcess> {
    return startProcess(this.#connection, command, options, this.#incoming)
  }

  shell(options: ShellOptions = {}): Promise<RemoteProcess> {
    return startShell(this.#connection, options, this.#incoming)
  }

  subsystem(name: string, options: SubsystemOptions = {}): Promise<RemoteProcess> {
    return startSubsystem(this.#connection, name, options, this.#incoming)
  }

  openTcp(host: string, port: number, options: OpenOptions = {}): Promise<Duplex> {
    return openStream(this.#connection, { host, port }, options)
  }

  openUnix(path: string, options: OpenOptions = {}): Promise<Duplex> {
    return openStream(this.#connection, { path }, options)
  }

  forwardLocal(from: ListenAt, to: Endpoint, options: ForwardOptions = {}): Promise<Forwarding> {
    return forwardLocal(this.#connection, from, to, options)
  }

  forwardDynamic(from: ListenAt, options: ForwardOptions = {}): Promise<Forwarding> {
    return forwardDynamic(this.#connection, from, options)
  }

  forwardRemote(from: ListenAt, to: Endpoint, options: ForwardOptions = {}): Promise<Forwarding> {
    return this.#incoming.forward(this.#connection, from, to, options)
  }

  forwardRemoteDynamic(from: ListenAt, options: ForwardOptions = {}): Promise<Forwarding> {
    return this.#incoming.forward(this.#connection, from, 'socks', options)
  }

  rekey(): void {
    this.#transport.rekey()
  }

  async ping(): Promise<void> {
    await this.#connection.request('keepalive@openssh.com')
    if (this.#transport.closed) throw new SshjobError('connection-lost', 'The connection is closed.')
  }

  async close(): Promise<void> {
    this.#transport.close()
    await this.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
