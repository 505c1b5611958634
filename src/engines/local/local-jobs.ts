import fs from 'node:fs/promises'
import type net from 'node:net'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { ownCalls } from '../../core/blocking-calls.js'
import { SshjobError, systemCode } from '../../core/errors.js'
import { LIST_TIMEOUT_MS, SOCKET_TOUCH_MS } from '../../core/limits.js'
import { sendClientHello } from '../../hello/exchange.js'
import type { JobInfo } from '../../hello/messages.js'
import { connectUnix } from '../../sockets/unix.js'
import { checkJobId } from './job-id.js'
import {
  findOrphan,
  idsBefore,
  type OrphanedJob,
  recordedIds,
  recordFile,
  writeRecord,
} from './job-record.js'
import { exists, type JobSocket, listenAt, probe, removeIfDead } from './job-socket.js'
import {
  candidateDirectories,
  madeDirectories,
  type Refused,
  sharedDirectories,
  usableDirectories,
} from './runtime-directory.js'

const SUFFIX = '.sock'

export interface LocalOptions {
  /** Where SSHJOB_RUNTIME_DIR, XDG_RUNTIME_DIR and TMPDIR are looked up. Default: process.env. */
  environment?: Readonly<Record<string, string | undefined>> | undefined
  signal?: AbortSignal | undefined
}

/** A socket that is found by the id of a job. */
export interface NamedSocket extends JobSocket {
  /** Why the places before this one could not be had: one error each. */
  readonly passedOver: readonly SshjobError[]
  remember(pid: number): Promise<void>
}

/**
 * Listens where openLocalJob() and listLocalJobs() of the same user find the job, whatever their environment: in the first of
 * candidateDirectories() that can be had.
 * @throws SshjobError 'job-exists' if a starter serves a job of this id; 'unreachable' if no place can be had, with the
 *   reasons; 'usage'
 */
export async function listenForJob(
  id: string,
  { environment, server }: LocalOptions & { server?: net.Server } = {},
): Promise<NamedSocket> {
  checkJobId(id)
  const candidates = candidateDirectories(environment)
  await refuseTwin(
    id,
    candidates.filter((directory) => sharedDirectories().includes(directory)),
  )
  const passedOver: SshjobError[] = []
  for await (const directory of madeDirectories(environment, passedOver)) {
    try {
      const socket = await listenAt(path.join(directory, `${id}${SUFFIX}`), server)
      return named(socket, recordFile(directory, id), passedOver)
    } catch (error) {
      if (!(error instanceof SshjobError) || error.code === 'job-exists') throw error
      passedOver.push(error)
    }
  }
  throw new SshjobError('unreachable', passedOver.map(({ message }) => message).join(' '), {
    cause: passedOver[0],
  })
}

/** A starter that could not have the first place has taken a later one, where ours would not meet it, and would hide it. */
async function refuseTwin(id: string, directories: readonly string[]): Promise<void> {
  // Somebody else's says nothing about our jobs.
  for await (const directory of usableDirectories(directories)) {
    const target = path.join(directory, `${id}${SUFFIX}`)
    if ((await probe(target).catch(() => 'missing')) === 'alive') throw exists(target)
  }
}

function named(socket: JobSocket, record: string, passedOver: readonly SshjobError[]): NamedSocket {
  // What is old and in nobody's use is removed: the name that was given by link(2) is not the one the kernel knows.
  const timer = setInterval(() => {
    const now = new Date()
    for (const file of [socket.path, record]) fs.utimes(file, now, now).catch(() => undefined)
  }, SOCKET_TOUCH_MS)
  timer.unref()
  let writing: Promise<void> | undefined
  return {
    ...socket,
    passedOver,
    remember(pid) {
      writing = writeRecord(record, pid)
      return writing
    },
    async close() {
      clearInterval(timer)
      await writing?.catch(() => undefined)
      await fs.rm(record, { force: true })
      await socket.close()
    },
  }
}

/**
 * Connects to the starter that serves a job of this user on this machine. The hello comes next.
 * @param elsewhere where else such a job could be, and why it is not looked for there: the end of a sentence
 * @throws SshjobError 'job-not-found', 'unreachable', 'usage', 'aborted'
 */
export async function openLocalJob(
  id: string,
  { environment, signal, elsewhere }: LocalOptions & { elsewhere?: string | undefined } = {},
): Promise<Duplex> {
  checkJobId(id)
  const refused: Refused[] = []
  const looked: string[] = []
  for await (const directory of usableDirectories(candidateDirectories(environment), refused)) {
    const target = path.join(directory, `${id}${SUFFIX}`)
    try {
      return await connectUnix(target, { signal })
    } catch (error) {
      if (isDead(error)) await removeIfDead(target)
      else if (!isMissing(error)) throw error
    }
    looked.push(directory)
  }
  // Loaded where it is needed only: most jobs are there.
  const { missingJob, orphanedJob } = await import('./missing-job.js')
  for (const directory of looked) {
    const orphan = await findOrphan(directory, id)
    if (orphan !== undefined) throw orphanedJob(orphan)
  }
  const names = (await Promise.all(looked.map(namesIn))).flat()
  throw missingJob(id, { ids: idsOf(names).filter((name) => name !== id), refused, elsewhere })
}

/**
 * The jobs of this user on this machine, by id: each starter is asked. One that does not answer within
 * LIST_TIMEOUT_MS, or whose job has not started or has ended, is not listed; a dead starter's socket is removed.
 * @throws SshjobError 'aborted'
 */
export async function listLocalJobs({
  environment,
  signal,
  timeoutMs = LIST_TIMEOUT_MS,
}: LocalOptions & { timeoutMs?: number | undefined } = {}): Promise<JobInfo[]> {
  const jobs = new Map<string, JobInfo>()
  for await (const directory of usableDirectories(candidateDirectories(environment))) {
    const targets = idsOf(await namesIn(directory)).map((id) => path.join(directory, `${id}${SUFFIX}`))
    const answers = await Promise.all(targets.map((target) => ask(target, timeoutMs, signal)))
    // Where two places hold a job of the same id, the first is the one that openLocalJob() opens.
    for (const job of answers) if (job !== undefined && !jobs.has(job.id)) jobs.set(job.id, job)
  }
  return [...jobs.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The jobs of this user that run on although their starters were killed. */
export async function listOrphans({ environment }: LocalOptions = {}): Promise<OrphanedJob[]> {
  const orphans: OrphanedJob[] = []
  for await (const directory of usableDirectories(candidateDirectories(environment))) {
    for (const id of recordedIds(await namesIn(directory))) {
      const state = await probe(path.join(directory, `${id}${SUFFIX}`)).catch(() => 'alive')
      const orphan = state === 'alive' ? undefined : await findOrphan(directory, id)
      if (orphan !== undefined) orphans.push(orphan)
    }
  }
  return orphans
}

/** What is in a directory, which may be gone by now. */
function namesIn(directory: string): Promise<string[]> {
  return ownCalls()
    .file(directory, () => fs.readdir(directory))
    .catch(() => [])
}

/** The ids that there are sockets of among these names. */
const idsOf = (names: readonly string[]): string[] => idsBefore(SUFFIX, names)

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
