import { constants } from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import type net from 'node:net'
import path from 'node:path'
import { type BlockingCalls, ownCalls } from '../core/blocking-calls.js'
import { messageOf, SshjobError, systemCode } from '../core/errors.js'
import type { Listening } from './loopback.js'
import { checkSocketPath, unixServer } from './unix.js'

/** What link(2) says where hard links are not to be had. */
const NO_LINKS = ['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EPERM', 'EMLINK']
/** The name of a socket until it gets its own. */
const SOCKET = 's'

export interface ListenUnixOptions {
  /** Default: a new one. */
  server?: net.Server | undefined
  /** On whose account the socket gets its name. Default: this process's. */
  calls?: BlockingCalls
}

/**
 * Listens on a unix socket that only this user can connect to (mode 0600, whatever the umask). Whoever finds the name
 * finds it listening. The name stays when the server is closed.
 * @throws SshjobError 'unreachable' if the path can't be bound, 'usage' if it is too long, 'not-answering'
 */
export async function listenUnix(at: string, options: ListenUnixOptions = {}): Promise<net.Server> {
  return (await open(at, options)).server
}

/** As listenUnix(), for whoever wants what connects; closing it takes the name away. */
export async function listenAtPath(
  at: string,
  onConnection: (socket: net.Socket) => void,
  calls: BlockingCalls = ownCalls(),
): Promise<Listening> {
  const { server, ino } = await open(at, { server: unixServer().on('connection', onConnection), calls })
  // Of accepting a connection: that one is lost, and the next may come.
  server.on('error', () => undefined)
  const name = path.resolve(at)
  return {
    port: 0,
    onConnection: (listener) => void server.on('connection', listener),
    async close() {
      server.close()
      // Somebody may have put another one in its place.
      const remove = async () => (await fs.lstat(name)).ino === ino && fs.unlink(name)
      await calls.file(name, remove, { certain: true }).catch(() => undefined)
    },
  }
}

/**
 * umask(2) is of the whole process: what other calls make meanwhile would get the wrong mode. So the socket is made in a
 * directory of this user's alone, and gets its name by link(2) once it has its mode.
 */
async function open(
  at: string,
  { server = unixServer(), calls = ownCalls() }: ListenUnixOptions,
): Promise<{ server: net.Server; ino: number }> {
  checkSocketPath(at)
  const name = path.resolve(at)
  try {
    const place = await calls.file(name, () => makePlace(path.dirname(name)), {
      undo: (late) => void leave(late),
    })
    // A server that is closed removes what it was bound to, in the event loop. Through the descriptor of a directory
    // that is gone there is nothing to remove, and no file system to wait for.
    server.once('close', () => void place.handle.close())
    try {
      await bind(server, place)
      return {
        server,
        ino: await calls.file(name, () => nameSocket(path.join(place.directory, SOCKET), name)),
      }
    } catch (error) {
      if (server.listening) server.close()
      else void place.handle.close()
      throw error
    } finally {
      // What is left of it is litter, and no reason to fail.
      await calls.file(name, () => removePlace(place), { certain: true }).catch(() => undefined)
    }
  } catch (cause) {
    if (cause instanceof SshjobError) throw cause
    const code = systemCode(cause)
    const why = code === 'EEXIST' ? 'there is a file of that name' : messageOf(cause)
    throw new SshjobError('unreachable', `No socket can be opened at ${at}: ${why}.`, { cause })
  }
}

/** A directory of this user's alone, and what leads to it whatever its path. */
interface Place {
  directory: string
  handle: FileHandle
}

async function makePlace(beside: string): Promise<Place> {
  const directory = await fs.mkdtemp(path.join(beside, '.sshjob-')) // its mode is 0700
  try {
    return { directory, handle: await fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY) }
  } catch (error) {
    await fs.rmdir(directory)
    throw error
  }
}

async function removePlace({ directory }: Place): Promise<void> {
  await fs.rm(path.join(directory, SOCKET), { force: true })
  await fs.rmdir(directory)
}

/** Nobody waits for it any more. Never rejects. */
async function leave(place: Place): Promise<void> {
  await Promise.allSettled([place.handle.close(), removePlace(place)])
}

async function bind(server: net.Server, { directory, handle }: Place): Promise<void> {
  try {
    await listen(server, `/proc/self/fd/${handle.fd}/${SOCKET}`)
  } catch (error) {
    // Without a /proc it is the path, as long as that is short enough. libuv says EACCES where bind(2) says ENOENT.
    const direct = path.join(directory, SOCKET)
    if (systemCode(error) !== 'EACCES') throw error
    checkSocketPath(direct)
    await listen(server, direct)
  }
}

function listen(server: net.Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path: name }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Gives the number of its inode. */
async function nameSocket(socket: string, name: string): Promise<number> {
  await fs.chmod(socket, 0o600)
  const { ino } = await fs.lstat(socket)
  try {
    await fs.link(socket, name)
  } catch (error) {
    if (!NO_LINKS.includes(systemCode(error) ?? '')) throw error
    // rename(2) replaces what is there: one that is made between these two, nothing can save here.
    const isThere = await fs.lstat(name).then(
      () => true,
      () => false,
    )
    if (isThere) throw Object.assign(new Error('there is a file of that name'), { code: 'EEXIST' })
    await fs.rename(socket, name)
  }
  return ino
}
