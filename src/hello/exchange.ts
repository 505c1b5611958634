import type { Duplex } from 'node:stream'
import { closeGently } from '../core/close-gently.js'
import { SshjobError } from '../core/errors.js'
import { HELLO_ANSWER_TIMEOUT_MS, HELLO_TIMEOUT_MS } from '../core/limits.js'
import { beginsLikeSsh, checkStart, decodeHello, encodeClientHello, encodeServerHello } from './encoding.js'
import { readLine, writeLine } from './line.js'
import type { Accepted, ClientHello, Refused, ServerHello } from './messages.js'
import { encodeSshRefusal } from './ssh-refusal.js'
import { validateClientHello, validateServerHello } from './validate.js'

export interface HelloOptions {
  /** Milliseconds until 'hello-timeout'. */
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

const NO_HELLO =
  "This connection began without sshjob's hello: use `sshjob proxy JOB` as ProxyCommand, or `sshjob JOB`."
const NOT_A_CLIENT = "This is not a client of sshjob: its first bytes are not sshjob's hello."
const NOT_A_STARTER = 'What answered is not sshjob-server: its first bytes are not the hello of sshjob.'

/**
 * The client's half: says hello and reads the answer. The next byte of the stream belongs to SSH.
 * Default deadline: HELLO_ANSWER_TIMEOUT_MS. After an error the stream is destroyed.
 * @throws SshjobError with the code, message and retry of a server that refuses; 'hello-invalid', 'hello-timeout',
 *   'connection-lost', 'aborted'; 'usage' for a hello that is too long
 */
export async function sendClientHello(
  stream: Duplex,
  hello: ClientHello,
  options: HelloOptions = {},
): Promise<Accepted> {
  const line = encodeClientHello(hello)
  const timeoutMs = options.timeoutMs ?? HELLO_ANSWER_TIMEOUT_MS
  const check = (received: Buffer): void => checkStart(received, NOT_A_STARTER)
  const answer = readLine(stream, { timeoutMs, signal: options.signal, check })
  // Failures to write are seen by the reader, which listens for 'error' and 'close'.
  if (stream.writable) stream.write(line)
  try {
    const reply = validateServerHello(decodeHello(await answer))
    if (reply.ok) return reply
    throw new SshjobError(reply.code, reply.message, { retry: reply.retry })
  } catch (error) {
    // Also so that a write that fails later does not meet a stream without a listener for 'error'.
    stream.destroy()
    throw error
  }
}

/**
 * The server's half: reads the client's hello. Default deadline: HELLO_TIMEOUT_MS.
 * A client that speaks SSH at once is told so in SSH's own words before 'hello-invalid' is thrown.
 * @throws SshjobError 'hello-invalid', 'hello-timeout', 'connection-lost', 'aborted'
 */
export async function receiveClientHello(stream: Duplex, options: HelloOptions = {}): Promise<ClientHello> {
  let spokeSsh = false
  const timeoutMs = options.timeoutMs ?? HELLO_TIMEOUT_MS
  const check = (received: Buffer): void => {
    spokeSsh = beginsLikeSsh(received)
    checkStart(received, spokeSsh ? NO_HELLO : NOT_A_CLIENT)
  }
  try {
    return validateClientHello(
      decodeHello(await readLine(stream, { timeoutMs, signal: options.signal, check })),
    )
  } catch (error) {
    if (spokeSsh) {
      const refusal = encodeSshRefusal(NO_HELLO)
      await Promise.allSettled([writeLine(stream, refusal, { timeoutMs, signal: options.signal })])
    }
    throw error
  }
}

/**
 * Answers a hello and waits until the stream has taken the answer. Default deadline: HELLO_TIMEOUT_MS.
 * @throws SshjobError 'connection-lost', 'hello-timeout', 'aborted'
 */
export async function answerHello(
  stream: Duplex,
  hello: ServerHello,
  options: HelloOptions = {},
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? HELLO_TIMEOUT_MS
  await writeLine(stream, encodeServerHello(hello), { timeoutMs, signal: options.signal })
}

/** What a refusal says on the wire. */
export function refusalOf(error: SshjobError): Refused {
  return { ok: false, code: error.code, message: error.message, retry: error.retry }
}

/**
 * Refuses a client, at any point of the hello, and ends the stream: gently, since the client may not have written its
 * hello yet. Resolves when the stream is closed; never rejects.
 */
export function refuseHello(stream: Duplex, error: SshjobError): Promise<void> {
  return closeGently(stream, encodeServerHello(refusalOf(error)))
}
