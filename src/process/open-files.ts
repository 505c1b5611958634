import { readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { libc } from './libc.js'
import { readStat } from './process-tree.js'

/** getrlimit(2), the same on all processors that libc() knows. */
const RLIMIT_NOFILE = 7
/** How many ancestors are asked for their limits. */
const ANCESTORS_MAX = 16

interface Limit {
  readonly soft: string
  readonly hard: string
}

/** The limits of open files of a process, as proc(5) shows them: a number, or 'unlimited'. */
export function readOpenFiles(pid: number | 'self'): Limit | undefined {
  const name = 'Max open files'
  try {
    const text = readFileSync(`/proc/${pid}/limits`, 'latin1')
    const line = text.split('\n').find((candidate) => candidate.startsWith(name))
    const [soft, hard] = line?.slice(name.length).trim().split(/\s+/) ?? []
    return soft === undefined || hard === undefined ? undefined : { soft, hard }
  } catch {
    return undefined
  }
}

function isNode(pid: number): boolean {
  try {
    const program = readlinkSync(`/proc/${pid}/exe`)
    return program === process.execPath || basename(program) === 'node'
  } catch {
    return false // it belongs to someone else
  }
}

/**
 * The soft limit of open files (getrlimit(2), RLIMIT_NOFILE) that the job would have without us.
 *
 * Node.js raises its own to the hard limit when it starts, and every child would inherit that: select(2) breaks
 * above 1024, and some programs close every descriptor up to the limit. What it was before is nowhere written, but
 * who started us has it still: the first ancestor above the Node.js programs (npx is one) that started us. It
 * can't be known, and nothing is changed, if that ancestor's hard limit is another, for then someone set limits
 * in between.
 * @returns undefined if there is nothing to restore
 */
export function findOpenFilesLimit(): number | undefined {
  const ours = readOpenFiles('self')
  if (ours === undefined || ours.soft !== ours.hard) return undefined
  let pid = process.ppid
  let belowIsNode = true
  for (let height = 0; height < ANCESTORS_MAX && pid > 0; height++) {
    const limit = readOpenFiles(pid)
    if (limit === undefined || limit.hard !== ours.hard) return undefined
    if (limit.soft !== limit.hard) return belowIsNode ? Number.parseInt(limit.soft, 10) : undefined
    // npm starts programs through sh: a shell with the raised limit may have it from a Node.js further up.
    belowIsNode = isNode(pid)
    pid = readStat(pid)?.parent ?? 0
  }
  return undefined
}

/**
 * Sets the soft limit of open files of a process, ours by default; never above the hard one.
 * @returns what it was
 */
export function setOpenFiles(soft: number, pid = 0): number {
  const limit = Buffer.alloc(16) // struct rlimit: soft and hard, 64 bits each
  libc().prlimit(pid, RLIMIT_NOFILE, null, limit)
  const before = limit.readBigUInt64LE(0)
  const hard = limit.readBigUInt64LE(8)
  const wanted = BigInt(soft)
  limit.writeBigUInt64LE(wanted < hard ? wanted : hard)
  libc().prlimit(pid, RLIMIT_NOFILE, limit, null)
  return Number(before)
}
