import fs from 'node:fs/promises'
import type net from 'node:net'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { SshjobError, systemCode } from '../core/errors.js'
import { LIST_TIMEOUT_MS } from '../core/limits.js'
import { sendClientHello } from '../hello/exchange.js'
import type { JobInfo } from '../hello/messages.js'
import { connectUnix } from '../sockets/unix.js'
import { checkJobId } from './job-id.js'
import { type JobSocket, listenAt, removeIfDead } from './job-socket.js'
import { candidateDirectories, makePrivateDirectory, runtimeDirectories } from './runtime-directory.js'

const SUFFIX = '.sock'

export interface LocalOptions {
  /** Where XDG_RUNTIME_DIR and TMPDIR are looked up. Default: process.env. */
  environment?: Readonly<Record<string, string | undefined>>
  signal?: AbortSignal
}

/** A socket that is found by the id of a job. */
export interface NamedSocket extends JobSocket {
  /** Why the places before this one could not be had: one error each. */
  readonly passedOver: readonly SshjobError[]
}

/**
 * Listens where openJob() and listJobs() of the same user find the job: in the first of candidateDirectories() that can
 * be had.
 * @throws SshjobError 'job-exists' if a starter serves a job of this id; 'unreachable' if no place can be had, with the
 *   reasons; 'usage'
 */
export async function listenForJob(
  id: string,
  { environment, server }: LocalOptions & { server?: net.Server } = {},
): Promise<NamedSocket> {
  checkJobId(id)
  const passedOver: SshjobError[] = []
  for (const directory of await candidateDirectories(environment)) {
    try {
      await makePrivateDirectory(directory)
      return { ...(await listenAt(path.join(directory, `${id}${SUFFIX}`), server)), passedOver }
    } catch (error) {
      if (!(error instanceof SshjobError) || error.code === 'job-exists') throw error
      passedOver.push(error)
    }
  }
  throw new SshjobError('unreachable', passedOver.map(({ message }) => message).join(' '), {
    cause: passedOver[0],
  })
}

/**
 * Connects to the starter that serves a job of this user on this machine. The hello comes next.
 * @throws SshjobError 'job-not-found', 'unreachable', 'usage', 'unsafe-directory', 'aborted'
 */
export async function openJob(id: string, options: LocalOptions = {}): Promise<Duplex> {
  checkJobId(id)
  for (const directory of await runtimeDirectories(options.environment)) {
    const target = path.join(directory, `${id}${SUFFIX}`)
    try {
      return await connectUnix(target, { signal: options.signal })
    } catch (error) {
      if (isDead(error)) await removeIfDead(target)
      else if (!isMissing(error)) throw error
    }
  }
  throw new SshjobError(
    'job-not-found',
    `No job ${id} of yours runs on this machine: \`sshjob ls\` shows those that do.`,
    // It may be about to be started.
    { retry: true },
  )
}

/**
 * The jobs of this user on this machine, by id: each starter is asked. One that does not answer within
 * LIST_TIMEOUT_MS, or whose job has not started or has ended, is not listed; a dead starter's socket is removed.
 * @throws SshjobError 'unsafe-directory', 'aborted'
 */
export async function listJobs(options: LocalOptions & { timeoutMs?: number } = {}): Promise<JobInfo[]> {
  const { timeoutMs = LIST_TIMEOUT_MS, signal } = options
  const jobs = new Map<string, JobInfo>()
  // The own folder comes last: where two hold a job of the same id, that is the one that openJob() opens.
  for (const directory of (await runtimeDirectories(options.environment)).reverse()) {
    const names = (await fs.readdir(directory)).filter(
      (name) => !name.startsWith('.') && name.endsWith(SUFFIX),
    )
    const answers = await Promise.all(names.map((name) => ask(path.join(directory, name), timeoutMs, signal)))
    for (const job of answers) if (job !== undefined) jobs.set(job.id, job)
  }
  return [...jobs.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

async function ask(
  target: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<JobInfo | undefined> {
  try {
    const stream = await connectUnix(target, { signal })
    const { job } = await sendClientHello(stream, {}, { timeoutMs, signal })
    stream.on('error', () => stream.destroy()).destroy()
    return job
  } catch (error) {
    if (isDead(error)) await removeIfDead(target)
    if (error instanceof SshjobError && error.code !== 'aborted') return undefined
    throw error
  }
}

function isDead(error: unknown): boolean {
  return error instanceof SshjobError && systemCode(error.cause) === 'ECONNREFUSED'
}

function isMissing(error: unknown): boolean {
  return error instanceof SshjobError && systemCode(error.cause) === 'ENOENT'
}
