import fs from 'node:fs'

/** Ticks per second in /proc, as it is for user space on every Linux: time(7), sysconf(3) _SC_CLK_TCK. */
const TICKS = 100
/** proc_pid_stat(5): starttime, counted from the first field behind the name. */
const START_FIELD = 19

/** How many of HTCondor's starters on this machine run since before `time`: they keep the settings of their start. */
export function countStartersBefore(time: Date): number {
  const boot = Date.now() - Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000
  return fs.readdirSync('/proc').filter((pid) => {
    const stat = /^\d+$/.test(pid) ? readStat(pid) : ''
    if (!stat.includes('(condor_starter)')) return false
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD])
    return boot + (ticks * 1_000) / TICKS < time.getTime()
  }).length
}

function readStat(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return '' // it has just ended
  }
}
