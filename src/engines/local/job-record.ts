import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { readStat } from '../../process/process-tree.js'

const SUFFIX = '.job'

/** A job that outlived its starter, so that nobody can enter it any more. */
export interface OrphanedJob {
  id: string
  /** The process id that the starter had. */
  starter: number
  /** The job's first process, which still runs. */
  pid: number
}

/** What names a process: a pid is given anew. */
interface ProcessMark {
  pid: number
  startTime: number
}

interface JobRecord {
  /** What the numbers are of: after a boot they begin anew, and in each container there are others. */
  boot: string
  namespace: string
  starter: ProcessMark
  job: ProcessMark
}

/** The name of the record beside the socket of a job: whoever may write there may enter the job as well. */
export function recordFile(directory: string, id: string): string {
  return path.join(directory, `${id}${SUFFIX}`)
}

/** Writes down which process the job is, for the case that this one is killed. */
export async function writeRecord(file: string, pid: number): Promise<void> {
  const [starter, job] = [markOf('self'), markOf(pid)]
  if (starter === undefined || job === undefined) return
  const record: JobRecord = { ...(await ownNumbering()), starter, job }
  const temporary = path.join(path.dirname(file), `.new-${randomBytes(6).toString('hex')}`)
  try {
    await fs.writeFile(temporary, JSON.stringify(record), { flag: 'wx', mode: 0o600 })
    await fs.rename(temporary, file)
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/**
 * The job of a record that runs although its starter does not: one that does may just have begun to listen. A record of
 * a job that has ended is removed, unless its numbers are of a container that we are not in.
 */
export async function findOrphan(directory: string, id: string): Promise<OrphanedJob | undefined> {
  const file = recordFile(directory, id)
  let text: string
  try {
    text = await fs.readFile(file, 'utf8')
  } catch {
    return undefined // there is none, or none that says anything
  }
  const record = parseRecord(text)
  const { boot, namespace } = await ownNumbering()
  if (record?.boot === boot) {
    if (record.namespace !== namespace || isAlive(record.starter)) return undefined
    if (isAlive(record.job)) return { id, starter: record.starter.pid, pid: record.job.pid }
  }
  await fs.rm(file, { force: true }).catch(() => undefined)
  return undefined
}

/** The ids in a directory that have a record. */
export const recordedIds = (names: readonly string[]): string[] => idsBefore(SUFFIX, names)

/** The ids of jobs that have a file with this suffix. */
export function idsBefore(suffix: string, names: readonly string[]): string[] {
  return names.flatMap((name) =>
    name.endsWith(suffix) && !name.startsWith('.') ? [name.slice(0, -suffix.length)] : [],
  )
}

function markOf(process: number | 'self'): ProcessMark | undefined {
  const stat = readStat(process)
  return stat && { pid: stat.pid, startTime: stat.startTime }
}

function isAlive({ pid, startTime }: ProcessMark): boolean {
  const stat = readStat(pid)
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X' && stat.startTime === startTime
}

/** Which numbers our pids are. Without a /proc that says so, all are taken for the same. */
async function ownNumbering(): Promise<Pick<JobRecord, 'boot' | 'namespace'>> {
  const [boot, namespace] = await Promise.all([
    fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    fs.readlink('/proc/self/ns/pid').catch(() => ''),
  ])
  return { boot: boot.trim(), namespace }
}

function parseRecord(text: string): JobRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value) || !('boot' in value && 'namespace' in value)) return undefined
  if (!('starter' in value && 'job' in value)) return undefined
  const { boot, namespace, starter, job } = value
  if (typeof boot !== 'string' || typeof namespace !== 'string') return undefined
  return isMark(starter) && isMark(job) ? { boot, namespace, starter, job } : undefined
}

function isMark(value: unknown): value is ProcessMark {
  if (!isObject(value) || !('pid' in value && 'startTime' in value)) return false
  return typeof value.pid === 'number' && typeof value.startTime === 'number'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
