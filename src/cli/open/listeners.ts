import { readFile } from 'node:fs/promises'
import type { RemoteFiles } from '../../client/sftp/types.js'

/** A socket that listens for connections to localhost. */
export interface Listener {
  port: number
  uid: number
  /** One number for each socket of a kernel, whoever looks at it. */
  inode: string
}

/** TCP_LISTEN of the kernel's tcp_states.h, as /proc/net/tcp has it. */
const LISTEN = '0A'
/** 127.0.0.0/8, every address, ::1 and ::ffff:127.0.0.0/104, in words of four bytes as a little-endian machine has them. */
const BY_LOCALHOST = /^(0{8}|[0-9A-F]{6}7F|0{32}|0{24}01000000|0{16}F{4}0{4}([0-9A-F]{6}7F|0{8}))$/

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6']
const BOOT = '/proc/sys/kernel/random/boot_id'

/**
 * The TCP ports that programs of the job's user listen on where the job is, as far as a connection to its localhost
 * reaches them: proc(5), read in the job. None where that can't be read.
 */
export async function listeningPorts(files: RemoteFiles): Promise<number[]> {
  const user = await files.stat('/proc/self').then(
    ({ uid }) => uid,
    () => undefined,
  )
  const listeners = (await listenersIn(files)).filter(({ uid }) => uid === user)
  return [...new Set(listeners.map(({ port }) => port))].sort((a, b) => a - b)
}

/**
 * Whether what listens on this port of the job's localhost is what listens on that of ours: the same socket of the same
 * kernel. A job that would lie can't know the number of a socket that it does not see.
 */
export async function listensHere(files: RemoteFiles, port: number): Promise<boolean> {
  const here: Pick<RemoteFiles, 'readFile'> = { readFile: (path) => readFile(path) }
  const [boots, theirs, ours] = await Promise.all([
    Promise.all([files.readFile(BOOT), here.readFile(BOOT)]).catch(() => []),
    listenersIn(files),
    listenersIn(here),
  ])
  const [theirBoot, ourBoot] = boots
  if (theirBoot === undefined || ourBoot === undefined || !theirBoot.equals(ourBoot)) return false
  return ours.some(
    (socket) =>
      socket.port === port &&
      theirs.some(({ inode, port: other }) => other === port && inode === socket.inode),
  )
}

async function listenersIn(files: Pick<RemoteFiles, 'readFile'>): Promise<Listener[]> {
  const tables = await Promise.all(TABLES.map((name) => files.readFile(name).then(String, () => '')))
  return tables.flatMap(parseListeners)
}

/** The lines of /proc/net/tcp that are about sockets that listen for localhost. */
export function parseListeners(table: string): Listener[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid = '', , inode = ''] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    if (state !== LISTEN || !BY_LOCALHOST.test(address)) return []
    return [{ port: Number.parseInt(port, 16), uid: Number(uid), inode }]
  })
}
