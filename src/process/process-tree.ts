import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** What proc(5) says of a process in /proc/PID/stat. */
export interface ProcessStat {
  readonly pid: number
  /** R, S, D, Z, T. */
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  /** The controlling terminal's device number; 0 without one. */
  readonly terminal: number
  /** The foreground process group of that terminal; -1 without one. */
  readonly foreground: number
  /** In clock ticks since the boot: with the pid, it names a process for good. */
  readonly startTime: number
}

/** How many processes are looked at before the event loop gets its turn. */
const PROCESSES_PER_TURN = 64

/** The stat of a process, or undefined if there is none (any more). */
export function readStat(pid: number | 'self'): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined // it has ended
  }
  // The name, field 2, is in parentheses and may hold any character, also ')': the fields start after the last.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const number = (index: number): number => Number(fields[index - 3])
  return {
    pid: Number.parseInt(text, 10),
    state: fields[0] ?? 'X',
    parent: number(4),
    group: number(5),
    session: number(6),
    terminal: number(7),
    foreground: number(8),
    startTime: number(22),
  }
}

/** All processes that /proc shows. */
function listPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** The children of a process, by the lists that the kernel keeps for each thread; undefined where it has none. */
function readChildren(pid: number): number[] | undefined {
  let threads: string[]
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // it has ended
  }
  const children: number[] = []
  for (const thread of threads) {
    try {
      const list = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')
      for (const child of list.split(' ')) if (child !== '') children.push(Number(child))
    } catch {
      // Only a kernel without CONFIG_PROC_CHILDREN lacks the file of a thread that is still there.
      if (readStat(pid) !== undefined && thread === String(pid)) return undefined
    }
  }
  return children
}

function scanChildren(): Map<number, number[]> {
  const children = new Map<number, number[]>()
  for (const pid of listPids()) {
    const stat = readStat(pid)
    if (stat === undefined) continue
    const siblings = children.get(stat.parent)
    if (siblings === undefined) children.set(stat.parent, [pid])
    else siblings.push(pid)
  }
  return children
}

/**
 * A process and its descendants, outermost first, at most `limit`. A process whose parent has ended belongs to
 * init or a subreaper then, and can't be told from others: it is missing here.
 */
export function listTree(root: number, limit: number): number[] {
  if (readStat(root) === undefined) return []
  let scanned: Map<number, number[]> | undefined
  const tree = [root]
  for (let next = 0; next < tree.length && tree.length < limit; next++) {
    const pid = tree[next]
    if (pid === undefined) break
    const children: readonly number[] | undefined =
      scanned === undefined ? readChildren(pid) : scanned.get(pid)
    if (children === undefined && scanned === undefined) {
      scanned = scanChildren()
      tree.push(...(scanned.get(pid) ?? []))
    } else tree.push(...(children ?? []))
  }
  return tree.slice(0, limit)
}

/** The living processes of each POSIX session, by its id (setsid(2)): zombies are not living. */
export type Sessions = ReadonlyMap<number, readonly ProcessStat[]>

async function scanSessions(): Promise<Sessions> {
  const sessions = new Map<number, ProcessStat[]>()
  let looked = 0
  for (const pid of listPids()) {
    if (++looked % PROCESSES_PER_TURN === 0) await nextTurn()
    const stat = readStat(pid)
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') continue
    const members = sessions.get(stat.session)
    if (members === undefined) sessions.set(stat.session, [stat])
    else members.push(stat)
  }
  return sessions
}

let running: Promise<Sessions> | undefined
let following: Promise<Sessions> | undefined

/**
 * Looks at all processes once, for all that ask in the same moment: hundreds of sessions that end together cost
 * one look, not hundreds. Who asks while a look is under way gets the next one, which saw everything before it.
 */
export function listSessions(): Promise<Sessions> {
  if (running === undefined) {
    running = scanSessions().finally(() => {
      running = undefined
    })
    return running
  }
  following ??= running
    .catch(() => undefined)
    .then(() => {
      following = undefined
      return listSessions()
    })
  return following
}
