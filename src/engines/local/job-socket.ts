import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import type net from 'node:net'
import path from 'node:path'
import { messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { listenUnix } from '../../sockets/listen-unix.js'
import { connectUnix } from '../../sockets/unix.js'
import { statIfThere, withClaim } from '../claim.js'

const ATTEMPTS = 20
const ATTEMPT_DELAY_MS = 20

/** A listening socket under the name that clients look for. */
export interface JobSocket {
  readonly server: net.Server
  readonly path: string
  /** Writes down which process the job is, so that a client can say what has happened if this one is killed. */
  remember?(pid: number): Promise<void>
  /** Takes the name away, and closes the server to new connections. Open ones stay. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Listens at `target`. The socket gets its name by link(2) once it listens: whoever finds the name finds a starter
 * that answers, at every instant, and of two starters at the same time one gets it. A socket of a starter that was
 * killed is replaced. A client may connect before this resolves: a server that is given has its listeners already.
 * @throws SshjobError 'job-exists' if somebody answers there; 'unreachable' if no socket can be made
 */
export async function listenAt(target: string, given?: net.Server): Promise<JobSocket> {
  const temporary = path.join(path.dirname(target), `.new-${randomBytes(6).toString('hex')}`)
  const server = await listenUnix(temporary, { server: given })
  try {
    const { ino } = await fs.lstat(temporary)
    await nameSocket(temporary, target)
    return { server, path: target, close: once(() => closeSocket(server, target, ino)) }
  } catch (error) {
    await closeServer(server)
    throw error
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/**
 * Whether a name leads to a starter. A socket that nobody listens on is 'dead' for good: connect(2) says ECONNREFUSED,
 * and no starter gives a name to a socket before it listens on it.
 */
export async function probe(target: string): Promise<'alive' | 'dead' | 'missing'> {
  try {
    const stream = await connectUnix(target)
    stream.destroy()
    return 'alive'
  } catch (error) {
    const code = error instanceof SshjobError ? systemCode(error.cause) : undefined
    if (code === 'ECONNREFUSED') return 'dead'
    if (code === 'ENOENT') return 'missing'
    if (code === 'EAGAIN') return 'alive'
    throw error
  }
}

/**
 * Removes a dead socket, and never one that a new starter has just put in its place: there is no unlink(2) "if it is
 * still that one", so whoever removes holds a claim on the name, and has seen, while holding it, that it is dead.
 * A living one's name is taken away by its owner alone.
 */
export async function removeIfDead(target: string): Promise<void> {
  const claim = path.join(path.dirname(target), `.remove-${path.basename(target)}`)
  await withClaim(claim, async () => {
    // connect(2) says ECONNREFUSED of any other file as well, and that is not ours to remove.
    const isSocket = (await statIfThere(target))?.isSocket() ?? false
    if (isSocket && (await probe(target)) === 'dead') await fs.rm(target, { force: true })
  })
}

async function nameSocket(temporary: string, target: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await fs.link(temporary, target)
      return
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw cannot(target, error)
    }
    const status = await statIfThere(target)
    if (status !== undefined && !status.isSocket()) throw cannot(target, 'there is a file of that name')
    if ((await probe(target)) === 'alive') {
      throw exists(target)
    }
    await removeIfDead(target)
    // Whoever holds the claim is about to remove it.
    await new Promise((resolve) => setTimeout(resolve, attempt === 0 ? 0 : ATTEMPT_DELAY_MS))
  }
  throw cannot(target, "a socket that nobody listens on is in its place and can't be removed")
}

/** The name goes while we still listen: once we don't, another starter may take it for dead and put its own there. */
async function closeSocket(server: net.Server, target: string, ino: number): Promise<void> {
  const status = await statIfThere(target)
  if (status?.ino === ino) await fs.rm(target, { force: true })
  await closeServer(server)
}

function closeServer(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    // Not its callback: that waits for the end of every connection.
    server.close()
    setImmediate(resolve)
  })
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

/** What whoever wants the name of a starter is told. */
export function exists(target: string): SshjobError {
  return new SshjobError('job-exists', `Somebody serves a job at ${target} already: choose another job id.`)
}

function cannot(target: string, cause: unknown): SshjobError {
  const why = typeof cause === 'string' ? cause : messageOf(cause)
  return new SshjobError('unreachable', `No socket can be opened at ${target}: ${why}.`, { cause })
}
