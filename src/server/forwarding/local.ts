import { isUtf8 } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { messageOf, SshjobError } from '../../core/errors.js'
import type { JobAddress, JobInside } from '../../job/inside.js'
import type { Grants } from '../../permissions/permissions.js'
import { refusalOf } from '../../permissions/refusal.js'
import type { OpenAnswer } from '../../ssh/connection.js'
import { joinStream } from '../../ssh/join.js'
import { OPEN_FAILURE, type Reader } from '../../ssh/wire.js'

export interface Way {
  inside: JobInside
  signal: AbortSignal
}

/** Rejects also where the job throws. */
const connect = async (to: JobAddress, { inside, signal }: Way): Promise<Duplex> =>
  inside.connect(to, { signal })

/**
 * direct-tcpip, RFC 4254 §7.2: connects first and confirms the channel afterwards, so that the client learns of a
 * failure as such. The connection is the job's to make: its network and its name service.
 */
export function openTcpChannel(
  data: Reader,
  permissions: Grants,
  way: Way,
): OpenAnswer | Promise<OpenAnswer> {
  const host = data.text()
  const port = data.uint32()
  const refusal = refusalOf(permissions, { kind: 'open', host, port })
  if (refusal !== undefined) return prohibited(refusal)
  if (port < 1 || port > 65_535) return failed(`${port} is no port`)
  if (host === '' || host.includes('\0')) return failed('this is no name of a host')
  return join(connect({ host, port }, way))
}

/** direct-streamlocal@openssh.com: OpenSSH's PROTOCOL, §2.4. */
export function openUnixChannel(
  data: Reader,
  permissions: Grants,
  way: Way,
): OpenAnswer | Promise<OpenAnswer> {
  const path = readPath(data)
  if (path === undefined) return failed('this is no path of a socket')
  const refusal = refusalOf(permissions, { kind: 'openUnix', path })
  if (refusal !== undefined) return prohibited(refusal)
  return join(connect({ path }, way))
}

/** A path as a string of Node.js; one that is not UTF-8 would become the path of another file. */
export function readPath(data: Reader): string | undefined {
  const bytes = data.string()
  return bytes.length > 0 && isUtf8(bytes) && !bytes.includes(0) ? bytes.toString('utf8') : undefined
}

async function join(connecting: Promise<Duplex>): Promise<OpenAnswer> {
  try {
    const stream = await connecting
    stream.on('error', () => undefined)
    return {
      accept: (channel) => joinStream(channel, stream),
      abandon: () => stream.destroy(),
    }
  } catch (error) {
    const isDenied = error instanceof SshjobError && error.code === 'denied'
    return isDenied ? prohibited(error.message) : failed(messageOf(error))
  }
}

function prohibited(message: string): OpenAnswer {
  return { refuse: OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, message }
}

function failed(message: string): OpenAnswer {
  return { refuse: OPEN_FAILURE.CONNECT_FAILED, message }
}
