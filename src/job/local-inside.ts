import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import { BlockingCalls } from '../core/blocking-calls.js'
import { X11_FIRST_PORT } from '../core/limits.js'
import { listenAtPath } from '../sockets/listen-unix.js'
import { type Listening, listenEverywhere, listening, listenLoopback } from '../sockets/loopback.js'
import { connectTcp, listenTcp } from '../sockets/tcp.js'
import { connectUnix } from '../sockets/unix.js'
import type { ConnectedFrom, FileStream, JobFiles, JobInside, ListenOn } from './inside.js'
import { fileCalls } from './local-files.js'
import { makePrivateDirectory } from './private-directory.js'

/** Serves files in another process. */
export interface FileService {
  /**
   * Gives a stream of SFTP, version 3, and the status that its server ends with; undefined where that can't be had.
   * `connection` numbers the connections of clients; relative paths start from `directory`, and `~` is `home`.
   */
  open(place: { connection: number; directory: string; home: string }): Promise<FileStream | undefined>
}

export interface LocalInsideOptions {
  /** Where file operations begin. */
  place: () => Promise<Pick<JobFiles, 'directory' | 'home'>>
  /** Default: this process serves files itself. */
  fileService?: FileService | undefined
}

/** How many there were in this process. */
let connections = 0

/** What a client reaches of a job that this process is inside of: what this process itself does. */
export function localInside({ place, fileService }: LocalInsideOptions): JobInside {
  const calls = new BlockingCalls()
  const connection = connections++
  return {
    async files() {
      const files = { ...(await place()), calls: fileCalls(calls) }
      if (fileService === undefined) return files
      return { ...files, serve: (from) => fileService.open({ connection, ...from }) }
    },
    connect: (to, { signal }) =>
      'path' in to
        ? connectUnix(to.path, { signal, calls })
        : connectTcp(to.host, to.port, { signal, calls }),
    async listen(at, onConnection) {
      const connected = (socket: Socket): void => onConnection(socket, originOf(socket))
      if ('path' in at) {
        if (at.replace === true) await calls.file(at.path, () => rm(at.path, { force: true }))
        const { close } = await listenAtPath(at.path, connected, calls)
        return { port: 0, host: '', close }
      }
      const made = await listenOn(at.on, 'display' in at ? X11_FIRST_PORT + at.display : at.port)
      made.onConnection(connected)
      const { port, close } = made
      return { port, host: at.on === 'everywhere' ? hostname() : 'localhost', close }
    },
    temporary: (...names) => makePrivateDirectory(calls, ...names),
  }
}

async function listenOn(on: ListenOn, port: number): Promise<Listening> {
  if (on === 'loopback') return listenLoopback(port)
  return on === 'everywhere' ? listenEverywhere(port) : listening([await listenTcp(on.address, port)])
}

function originOf({ remoteAddress: address, remotePort: port }: Socket): ConnectedFrom | undefined {
  return address === undefined || port === undefined ? undefined : { address, port }
}
