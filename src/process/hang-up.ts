import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemCode } from '../core/errors.js'
import { SESSION_KILL_DELAY_MS, SESSION_LOOK_MAX_MS } from '../core/limits.js'
import { listSessions, type ProcessStat } from './process-tree.js'
import { sendSignal } from './signals.js'

/** What a POSIX session of ours, setsid(2), is known by. */
export interface PosixSession {
  readonly leader: ProcessStat
  /** What its processes got from us, as /proc/PID/fd names it: '/dev/pts/3', or 'pipe:[4711]' for each pipe. */
  readonly given: readonly string[]
}

const SIGHUP = 1
const SIGKILL = 9
const SIGTERM = 15
const SIGCONT = 18

const hasTerminal = ({ given }: PosixSession): boolean => given.some((name) => name.startsWith('/'))

/** Whether a process has a terminal or a pipe of the session open. One that we may not look into counts as having it. */
function holds(pid: number, given: readonly string[]): boolean {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).some((descriptor) => {
      try {
        // Not stat(2): that would go to the file, and wait for its file system.
        return given.includes(readlinkSync(`${folder}/${descriptor}`).replace(/ \(deleted\)$/, ''))
      } catch {
        return false // it has been closed
      }
    })
  } catch (error) {
    return systemCode(error) === 'EACCES'
  }
}

/** The signals that a process ignores, proc(5), as bits from signal 1 on. */
export function readIgnored(pid: number): bigint {
  try {
    const [, mask = '0'] =
      /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
    return BigInt(`0x${mask}`)
  } catch {
    return 0n // it has ended
  }
}

/** Whether this signal is among them. */
export const has = (mask: bigint, signal: number): boolean => (mask & (1n << BigInt(signal - 1))) !== 0n

/**
 * Whether a process has to go when its session is hung up. By process and not by process group, because an interactive
 * shell gives each of its jobs a group of its own. What is left on purpose stays, as with sshd:
 * - who holds nothing of ours: its terminal or pipes are no longer those of the session;
 * - who ignores HUP (nohup(1)); but who ignores TERM as well heeds nobody, and goes if it holds something of ours;
 * - with a terminal, who is in the background: its shell has told it, unless it was to stay (disown).
 */
function hasToGo({ pid, group }: ProcessStat, session: PosixSession, told: ReadonlySet<number>): boolean {
  if (!holds(pid, session.given)) return false
  const ignored = readIgnored(pid)
  if (has(ignored, SIGHUP)) return has(ignored, SIGTERM)
  return !hasTerminal(session) || told.has(group)
}

/** The living processes of a session. */
async function listMembers({ leader }: PosixSession): Promise<readonly ProcessStat[]> {
  const members = (await listSessions()).get(leader.pid) ?? []
  // The kernel gives the number to another process only when the session is empty: who leads it now is a stranger.
  const strange = members.some(({ pid, startTime }) => pid === leader.pid && startTime !== leader.startTime)
  return strange ? [] : members
}

/**
 * Hangs a POSIX session up whose terminal or pipes have just been closed. The kernel does that for a terminal alone,
 * and to its leader and foreground only; here, whoever has to go is sent HUP, CONT for who is stopped, TERM, and KILL
 * after SESSION_KILL_DELAY_MS if it is still there. A process that has made a session of its own (setsid(1), tmux) is
 * not in this one, and survives, as it does with sshd.
 *
 * Resolves when all who have to go are gone; who has not ended after KILL (in a system call that can't be interrupted)
 * is waited for. A process that changed its user can't be signalled by us and is not waited for past the delay.
 * @param told the process groups that the kernel tells when a terminal hangs up: the leader's, and the one in the foreground
 */
export async function hangUp(session: PosixSession, told: ReadonlySet<number>): Promise<void> {
  const deadline = Date.now() + SESSION_KILL_DELAY_MS
  for (let pause = 2, first = true; ; pause = Math.min(pause * 2, SESSION_LOOK_MAX_MS)) {
    const going = (await listMembers(session)).filter((member) => hasToGo(member, session, told))
    const late = Date.now() >= deadline
    let reachable = 0
    for (const { pid } of going) {
      if (late) {
        if (sendSignal(pid, SIGKILL)) reachable++
      } else if (first) {
        // Once: who is started after that cleans up for one of them.
        for (const signal of [SIGHUP, SIGCONT, SIGTERM]) sendSignal(pid, signal)
      }
    }
    first = false
    if (going.length === 0 || (late && reachable === 0)) return
    await sleep(late ? pause : Math.min(pause, Math.max(deadline - Date.now(), 1)))
  }
}

/** The same where there is no /proc: the leader's process group is all that is known. */
export async function hangUpGroup(group: number): Promise<void> {
  for (const signal of [SIGHUP, SIGCONT, SIGTERM]) sendSignal(-group, signal)
  const deadline = Date.now() + SESSION_KILL_DELAY_MS
  while (sendSignal(-group, Date.now() >= deadline ? SIGKILL : 0)) await sleep(SESSION_LOOK_MAX_MS / 10)
}
