import { readStat } from '../../../process/process-tree.js'

/** Whether a process is stopped: not by a debugger, which is its own business. */
export function isStopped(pid: number): boolean {
  return readStat(pid)?.state === 'T'
}
