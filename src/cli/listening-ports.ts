import type { RemoteFiles } from '../client/sftp/types.js'

/** TCP_LISTEN of the kernel's tcp_states.h, as /proc/net/tcp has it. */
const LISTEN = '0A'
/** 127.0.0.1, its whole network and every address, in the byte order of the machine or not; and those of IPv6. */
const BY_LOCALHOST =
  /^(0{8}|[0-9A-F]{6}7F|7F[0-9A-F]{6}|0{32}|0{24}01000000|0{16}F{4}0{4}([0-9A-F]{6}7F|0{8}))$/

/**
 * The TCP ports that programs of the job's user listen on where the job is, as far as a connection to its localhost
 * reaches them: from /proc/net/tcp, proc(5), read in the job. None where that can't be read.
 */
export async function listeningPorts(files: RemoteFiles): Promise<number[]> {
  const user = await files.stat('/proc/self').then(
    ({ uid }) => uid,
    () => undefined,
  )
  const names = ['/proc/self/net/tcp', '/proc/self/net/tcp6']
  const tables = await Promise.all(names.map((name) => files.readFile(name).then(String, () => '')))
  const ports = tables.flatMap((table) => parseListeners(table)).filter(({ uid }) => uid === user)
  return [...new Set(ports.map(({ port }) => port))].sort((a, b) => a - b)
}

/** The lines of such a table that are about sockets that listen for localhost. */
export function parseListeners(table: string): { port: number; uid: number }[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid = ''] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    if (state !== LISTEN || !BY_LOCALHOST.test(address)) return []
    return [{ port: Number.parseInt(port, 16), uid: Number(uid) }]
  })
}
