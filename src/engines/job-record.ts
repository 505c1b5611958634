import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { readStat } from '../job/process-tree.js'

const SUFFIX = '.job'

/** A job that outlived its starter, so that nobody can enter it any more. */
export interface OrphanedJob {
  id: string
  /** The process id that the starter had. */
  starter: number
  /** The job's first process, which still runs. */
  pid: number
}

/** What names a process for good: a pid is given anew, after a boot with the same start time, and in each container. */
interface JobRecord {
  boot: string
  /** The PID namespace that the numbers are of. */
  namespace: string
  starter: number
  pid: number
  startTime: number
}

/** The name of the record beside the socket of a job: whoever may write there may enter the job as well. */
export function recordFile(directory: string, id: string): string {
  return path.join(directory, `${id}${SUFFIX}`)
}

/** Writes down which process the job is, for the case that this one is killed. */
export async function writeRecord(file: string, pid: number): Promise<void> {
  const stat = readStat(pid)
  if (stat === undefined) return
  const { startTime } = stat
  const record: JobRecord = { ...(await ownNumbering()), starter: process.pid, pid, startTime }
  const temporary = path.join(path.dirname(file), `.new-${randomBytes(6).toString('hex')}`)
  try {
    await fs.writeFile(temporary, JSON.stringify(record), { flag: 'wx', mode: 0o600 })
    await fs.rename(temporary, file)
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/**
 * The job of a record, if it still runs. A record of one that doesn't is removed, unless its numbers are of a container
 * that we are not in. To be asked where no starter is.
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
  if (record?.boot === boot && record.namespace !== namespace) return undefined
  if (record?.boot === boot && isAlive(record)) return { id, starter: record.starter, pid: record.pid }
  await fs.rm(file, { force: true }).catch(() => undefined)
  return undefined
}

/** The ids in a directory that have a record. */
export function recordedIds(names: readonly string[]): string[] {
  return names.flatMap((name) =>
    name.endsWith(SUFFIX) && !name.startsWith('.') ? [name.slice(0, -SUFFIX.length)] : [],
  )
}

function isAlive({ pid, startTime }: JobRecord): boolean {
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
  if (typeof value !== 'object' || value === null) return undefined
  if (!('boot' in value && 'namespace' in value)) return undefined
  if (!('starter' in value && 'pid' in value && 'startTime' in value)) return undefined
  const { boot, namespace, starter, pid, startTime } = value
  if (typeof boot !== 'string' || typeof namespace !== 'string') return undefined
  if (typeof starter !== 'number' || typeof pid !== 'number' || typeof startTime !== 'number')
    return undefined
  return { boot, namespace, starter, pid, startTime }
}
