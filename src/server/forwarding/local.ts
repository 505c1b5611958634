import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import { messageOf } from '../../core/errors.js'
import type { Grants } from '../../permissions/permissions.js'
import { refusalOf } from '../../permissions/refusal.js'
import { type ConnectTcpOptions, connectTcp } from '../../sockets/tcp.js'
import { type ConnectUnixOptions, connectUnix } from '../../sockets/unix.js'
import type { OpenAnswer } from '../../ssh/connection.js'
import { joinSocket } from '../../ssh/join.js'
import { OPEN_FAILURE, type Reader } from '../../ssh/wire.js'

/**
 * direct-tcpip, RFC 4254 §7.2: connects first and confirms the channel afterwards, so that the client learns of a
 * failure as such. The connection is made by this process, which is in the job: its network and its name service.
 */
export function openTcpChannel(
  data: Reader,
  permissions: Grants,
  way: ConnectTcpOptions,
): OpenAnswer | Promise<OpenAnswer> {
  const host = data.text()
  const port = data.uint32()
  const refusal = refusalOf(permissions, { kind: 'open', host, port })
  if (refusal !== undefined) return prohibited(refusal)
  if (port < 1 || port > 65_535) return failed(`${port} is no port`)
  if (host === '' || host.includes('\0')) return failed('this is no name of a host')
  return join(connectTcp(host, port, way))
}

/** direct-streamlocal@openssh.com: OpenSSH's PROTOCOL, §2.4. */
export function openUnixChannel(
  data: Reader,
  permissions: Grants,
  way: ConnectUnixOptions,
): OpenAnswer | Promise<OpenAnswer> {
  const path = readPath(data)
  if (path === undefined) return failed('this is no path of a socket')
  const refusal = refusalOf(permissions, { kind: 'openUnix', path })
  if (refusal !== undefined) return prohibited(refusal)
  return join(connectUnix(path, way))
}

/** A path as a string of Node.js; one that is not UTF-8 would become the path of another file. */
export function readPath(data: Reader): string | undefined {
  const bytes = data.string()
  return bytes.length > 0 && isUtf8(bytes) && !bytes.includes(0) ? bytes.toString('utf8') : undefined
}

async function join(connecting: Promise<Socket>): Promise<OpenAnswer> {
  try {
    const socket = await connecting
    socket.on('error', () => undefined)
    return {
      accept: (channel) => joinSocket(channel, socket),
      abandon: () => socket.destroy(),
    }
  } catch (error) {
    return failed(messageOf(error))
  }
}

function prohibited(message: string): OpenAnswer {
  return { refuse: OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, message }
}

function failed(message: string): OpenAnswer {
  return { refuse: OPEN_FAILURE.CONNECT_FAILED, message }
}
