import { SshjobError } from '../core/errors.js'
import { HELLO_MAX_BYTES, HELLO_PIDS, HELLO_TEXT_CHARACTERS } from '../core/limits.js'
import type { ClientHello, JobInfo, ServerHello } from './messages.js'

const MAGIC = 'sshjob-hello/'
const VERSION = 1
const magicBytes = Buffer.from(MAGIC)
const sshBytes = Buffer.from('SSH-')

/** The stream began like an SSH connection, where a hello was expected. */
export function beginsLikeSsh(received: Buffer): boolean {
  return received.subarray(0, sshBytes.length).equals(sshBytes)
}

/** @throws SshjobError 'hello-invalid' as soon as the first bytes can't become a hello any more */
export function checkStart(received: Buffer, otherwise: string): void {
  const start = received.subarray(0, magicBytes.length)
  if (start.equals(magicBytes.subarray(0, start.length))) return
  // Three bytes of 'SSH-' are not yet known to be SSH; the fourth, or the deadline, tells.
  if (received.length < sshBytes.length && received.equals(sshBytes.subarray(0, received.length))) return
  throw new SshjobError('hello-invalid', otherwise)
}

/** The JSON value of a line. @throws SshjobError 'hello-invalid' */
export function decodeHello(line: Buffer): unknown {
  const text = decodeUtf8(line)
  const space = text.indexOf(' ')
  const version = text.slice(MAGIC.length, Math.max(space, 0))
  if (!text.startsWith(MAGIC) || !/^[0-9]{1,9}$/.test(version)) {
    throw new SshjobError('hello-invalid', "The other side's hello is not valid: it names no version.")
  }
  if (Number(version) !== VERSION) {
    throw new SshjobError(
      'hello-invalid',
      `The other side speaks version ${version} of the hello and this one version ${VERSION}: use the same release of sshjob on both.`,
    )
  }
  try {
    return JSON.parse(text.slice(space + 1))
  } catch (error) {
    throw new SshjobError('hello-invalid', `The other side's hello is not valid JSON.`, {
      cause: error,
    })
  }
}

function decodeUtf8(line: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(line)
  } catch (error) {
    throw new SshjobError('hello-invalid', "The other side's hello is not valid UTF-8.", { cause: error })
  }
}

/** @throws SshjobError 'usage' if the line gets too long: the capability is */
export function encodeClientHello(hello: ClientHello): Buffer {
  const line = encode(hello)
  if (line.length <= HELLO_MAX_BYTES) return line
  throw new SshjobError('usage', `The hello would be ${line.length} bytes, and may be ${HELLO_MAX_BYTES}.`)
}

/** A long command or message is cut, a long list of pids too: both are there for people. */
export function encodeServerHello(hello: ServerHello): Buffer {
  const line = encode(hello)
  if (line.length <= HELLO_MAX_BYTES) return line
  const short: ServerHello = hello.ok
    ? { ...hello, job: shortenJob(hello.job) }
    : { ...hello, message: hello.message.slice(0, HELLO_TEXT_CHARACTERS) }
  return encode(short)
}

function shortenJob(job: JobInfo): JobInfo {
  const command: string[] = []
  let room = HELLO_TEXT_CHARACTERS
  for (const word of job.command) {
    command.push(word.length <= room ? word : `${word.slice(0, room)}...`)
    // The quotes and the comma of a word count as well: there may be thousands of empty words.
    room -= word.length + 3
    if (room <= 0) break
  }
  return { ...job, command, pids: job.pids.slice(0, HELLO_PIDS) }
}

function encode(hello: ClientHello | ServerHello): Buffer {
  return Buffer.from(`${MAGIC}${VERSION} ${JSON.stringify(hello)}\n`)
}
