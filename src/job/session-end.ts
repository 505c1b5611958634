import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemCode } from '../core/errors.js'
import { SESSION_KILL_DELAY_MS, SESSION_LOOK_MAX_MS } from '../core/limits.js'
import { listSessions, type ProcessStat } from './process-tree.js'

/** The signal of a name as SSH has it, 'TERM'; undefined if this system has none of that name. */
export function toSignal(name: string): NodeJS.Signals | undefined {
  const wanted = `SIG${name}`
  const isKnown = (candidate: string): candidate is NodeJS.Signals =>
    Object.hasOwn(constants.signals, candidate)
  return isKnown(wanted) ? wanted : undefined
}

/** Sends a signal; false if there is nobody (any more), or nobody whom we may send it to. */
export function sendSignal(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}

/** The living processes of a session, given its leader. */
async function listMembers(leader: ProcessStat): Promise<readonly ProcessStat[]> {
  const members = (await listSessions()).get(leader.pid) ?? []
  // The kernel gives the number to another process only when the session is empty: who leads it now is a stranger.
  const strange = members.some(({ pid, startTime }) => pid === leader.pid && startTime !== leader.startTime)
  return strange ? [] : members
}

/**
 * Ends all that is left of a POSIX session: HUP, as of a terminal that hangs up, CONT for who is stopped, TERM;
 * KILL after SESSION_KILL_DELAY_MS for who is left. By session and not by process group, because an interactive
 * shell gives each of its jobs a group of its own. A process that has made a session of its own (setsid(1), tmux)
 * is not in this one, and survives, as it does with sshd.
 * Resolves when nobody is left; who has not ended after KILL (in a system call that can't be interrupted) is waited
 * for. A process that changed its user can't be signalled by us and is not waited for past the delay.
 * @returns whether the session is empty
 */
export async function endSession(leader: ProcessStat): Promise<boolean> {
  const deadline = Date.now() + SESSION_KILL_DELAY_MS
  for (let pause = 2, told = false; ; pause = Math.min(pause * 2, SESSION_LOOK_MAX_MS)) {
    const members = await listMembers(leader)
    const late = Date.now() >= deadline
    let reachable = 0
    for (const { pid } of members) {
      if (late) {
        if (sendSignal(pid, 'SIGKILL')) reachable++
      } else if (!told) {
        // Once: who is started after that cleans up for one of them.
        for (const signal of ['SIGHUP', 'SIGCONT', 'SIGTERM'] as const) sendSignal(pid, signal)
      }
    }
    told = true
    if (members.length === 0) return true
    if (late && reachable === 0) return false
    await sleep(late ? pause : Math.min(pause, Math.max(deadline - Date.now(), 1)))
  }
}
