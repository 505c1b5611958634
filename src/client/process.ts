import { Readable, type Writable } from 'node:stream'
import { deferred } from '../core/deferred.js'
import { abortError, firstLine, SshjobError } from '../core/errors.js'
import { OUTPUT_LIMIT } from '../core/limits.js'
import { onAbort } from '../core/on-abort.js'
import { orAbort } from '../core/or-abort.js'
import type { Channel } from '../ssh/channel.js'
import type { Connection } from '../ssh/connection.js'
import { encodeTerminalModes } from '../ssh/terminal-modes.js'
import { type Reader, string, uint32 } from '../ssh/wire.js'
import { checkProcess } from './check-calls.js'
import type { IncomingChannels } from './forwarding/remote.js'
import type {
  ExecOptions,
  Output,
  PtyOptions,
  RemoteEnd,
  RemoteProcess,
  ShellOptions,
  SubsystemOptions,
} from './types.js'

/** What a signal request carries after its name is one of RFC 4254 §6.10: no SIG in front. */
const SIGNAL_NAME = /^[A-Z0-9]+$/

/** What our server's sentences begin with where they stand among the output of a session. */
const SERVER_SAYS = /^sshjob-server: /

export async function startProcess(
  connection: Connection,
  command: string | Buffer,
  options: ExecOptions,
  incoming: IncomingChannels,
): Promise<RemoteProcess> {
  const pty = options.pty === true ? {} : options.pty === false ? undefined : options.pty
  const remote = await open(connection, 'exec', [string(command)], { ...options, pty }, incoming)
  feed(remote.stdin, options.stdin)
  return remote
}

export function startShell(
  connection: Connection,
  options: ShellOptions,
  incoming: IncomingChannels,
): Promise<RemoteProcess> {
  const pty = options.pty === false ? undefined : options
  return open(connection, 'shell', [], { ...options, pty }, incoming)
}

/** A subsystem by its name, RFC 4254 §6.5. */
export function startSubsystem(
  connection: Connection,
  name: string,
  options: SubsystemOptions,
  incoming: IncomingChannels,
): Promise<RemoteProcess> {
  return open(connection, 'subsystem', [string(name)], { ...options, pty: undefined }, incoming)
}

interface Opening extends Pick<ExecOptions, 'env' | 'agent' | 'x11' | 'signal'> {
  pty: PtyOptions | undefined
}

async function open(
  connection: Connection,
  kind: string,
  data: Buffer[],
  options: Opening,
  incoming: IncomingChannels,
): Promise<RemoteProcess> {
  const { env = {}, pty, agent, x11, signal } = options
  if (signal?.aborted) throw abortError(signal)
  const display = x11 === undefined ? undefined : await incoming.allowDisplay(x11)
  if (signal?.aborted) throw abortError(signal)
  const allowedAgent = agent === undefined ? undefined : incoming.allowAgent(agent)
  const forbid = (): void => {
    display?.forbid()
    allowedAgent?.forbid()
  }
  const opening = orAbort(connection.open('session'), signal, (late) => late.close())
  const channel = await opening.catch((error: unknown) => {
    forbid()
    throw error
  })
  void channel.closed.then(forbid)
  const remote = new Remote(channel)
  void channel.closed.then(onAbort(signal, (reason) => remote.abort(reason)))
  // Everything is sent at once and the answers are awaited afterwards: one round trip instead of three.
  for (const [name, value] of Object.entries(env)) channel.notify('env', string(name), string(value))
  const agentForwarded = agent === undefined ? undefined : channel.request('auth-agent-req@openssh.com')
  const displayForwarded = display === undefined ? undefined : channel.request('x11-req', ...display.request)
  const terminal = pty === undefined ? undefined : channel.request('pty-req', ...encodePty(pty))
  const started = channel.request(kind, ...data)
  await orAbort(started, signal) // the last answer: the other one is there as well then
  if ((await agentForwarded) === false) {
    throw await remote.refusal('request-refused', 'The server does not forward the agent into the job.')
  }
  if ((await displayForwarded) === false) {
    throw await remote.refusal('request-refused', 'The server does not forward X11 into the job.')
  }
  if ((await terminal) === false) {
    throw await remote.refusal('no-terminal', 'The server could not open a terminal in the job.')
  }
  if (!(await started)) {
    const what = kind === 'subsystem' ? 'has no such subsystem' : 'could not start this in the job'
    throw await remote.refusal('request-refused', `The server ${what}.`)
  }
  return checkProcess(remote)
}

function encodePty({
  term = 'xterm-256color',
  columns,
  rows,
  width,
  height,
  modes = [],
}: PtyOptions): Buffer[] {
  const size = [uint32(columns ?? 80), uint32(rows ?? 24), uint32(width ?? 0), uint32(height ?? 0)]
  return [string(term), ...size, string(encodeTerminalModes(modes))]
}

function feed(stdin: Writable, source: ExecOptions['stdin']): void {
  if (source === undefined) return
  if (source === null) stdin.end()
  else if (source instanceof Readable) {
    source.on('error', (error) => stdin.destroy(error))
    stdin.on('error', () => source.unpipe(stdin))
    source.pipe(stdin)
  } else stdin.end(source)
}

class Remote implements RemoteProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  readonly ended: Promise<RemoteEnd>
  readonly #channel: Channel
  #cause: SshjobError | undefined
  #end: RemoteEnd | undefined
  readonly #aborted = deferred<never>()

  constructor(channel: Channel) {
    this.#channel = channel
    this.stdin = channel.output
    this.stdout = channel.input
    this.stderr = channel.inputExtended
    channel.onRequest = (name, data) => this.#request(name, data)
    const closed = channel.closed.then((cause) => {
      if (this.#end !== undefined) return this.#end
      throw this.#cause ?? cause ?? new SshjobError('connection-closed', 'The server closed the session.')
    })
    this.ended = Promise.race([closed, this.#aborted.promise])
    // Whoever only reads the streams learns of a failure there: this rejection must not end their process.
    this.ended.catch(() => undefined)
  }

  async output({ limit = OUTPUT_LIMIT }: { limit?: number } = {}): Promise<Output> {
    const collected = Promise.all([this.#collect(this.stdout, limit), this.#collect(this.stderr, limit)])
    const [[stdout, stderr], end] = await Promise.all([collected, this.ended])
    return { stdout, stderr, exitCode: end.exitCode, signal: end.signal }
  }

  resize({ columns, rows, width = 0, height = 0 }: Parameters<RemoteProcess['resize']>[0]): void {
    this.#channel.notify('window-change', uint32(columns), uint32(rows), uint32(width), uint32(height))
  }

  sendSignal(name: string): void {
    if (!SIGNAL_NAME.test(name) || name.startsWith('SIG')) {
      throw new SshjobError(
        'usage',
        `'${name}' is not the name of a signal: use names such as TERM, without SIG.`,
      )
    }
    this.#channel.notify('signal', string(name))
  }

  sendBreak(milliseconds = 500): Promise<boolean> {
    return this.#channel.request('break', uint32(milliseconds))
  }

  close(): void {
    this.#cause ??= new SshjobError(
      'connection-closed',
      'The session was closed before the command had ended.',
    )
    this.#channel.close()
  }

  /** Closing the channel makes the server end what runs in it: HUP and TERM, KILL after a while. */
  abort(cause: SshjobError): void {
    this.#cause ??= cause
    this.#channel.close()
    this.stdout.destroy(cause)
    this.stderr.destroy(cause)
    // At once: a server that is gone would never confirm the close.
    this.#aborted.reject(cause)
  }

  /** Why nothing was started: the connection's end, or what the server said on stderr before it refused. */
  async refusal(code: 'no-terminal' | 'request-refused', otherwise: string): Promise<SshjobError> {
    const said: unknown = this.stderr.read()
    const lost = this.#channel.isClosed ? await this.#channel.closed : undefined
    this.#channel.close()
    const reason = Buffer.isBuffer(said) ? firstLine(said.toString('utf8')) : undefined
    const sentence = reason?.replace(SERVER_SAYS, '') ?? otherwise
    return this.#cause ?? lost ?? new SshjobError(code, sentence)
  }

  #request(name: string, data: Reader): boolean {
    switch (name) {
      case 'exit-status':
        this.#end = { exitCode: data.uint32(), signal: undefined }
        return true
      case 'exit-signal': {
        const signal = data.text()
        const coreDumped = data.boolean()
        this.#end = { exitCode: undefined, signal, coreDumped, message: data.text() }
        return true
      }
      case 'eow@openssh.com':
        this.stdin.destroy()
        return true
      default:
        return false
    }
  }

  async #collect(stream: Readable, limit: number): Promise<Buffer> {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of stream) {
      chunks.push(chunk)
      length += chunk.length
      if (length <= limit) continue
      const error = new SshjobError(
        'output-limit',
        `The command wrote more than ${limit} bytes; it was ended.`,
      )
      this.abort(error)
      throw error
    }
    return Buffer.concat(chunks)
  }
}
