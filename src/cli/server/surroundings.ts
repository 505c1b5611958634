import { readFileSync } from 'node:fs'
import { findEnclosing } from '../../engines/enclosing-job.js'

export interface Surroundings {
  command: string[]
  pids: number[]
  since?: Date
}

/** What a client is told that it is in: the job that an engine says, or a container. */
export function describeSurroundings(): Surroundings {
  const container = describeContainer()
  const enclosing = findEnclosing(process.env)
  if (enclosing === undefined) return container
  const { command, since } = enclosing
  return { ...container, command: [...command], ...(since === undefined ? {} : { since }) }
}

/**
 * A process whose parent is 0 was put into its PID namespace from outside (pid_namespaces(7)), as `docker exec` does it:
 * the container's first process is the job. Otherwise nothing is known.
 */
function describeContainer(): Surroundings {
  if (process.ppid !== 0) return { command: [], pids: [] }
  try {
    return { command: readFileSync('/proc/1/cmdline', 'utf8').split('\0').slice(0, -1), pids: [1] }
  } catch {
    // Without /proc the number is known, and the command is not.
    return { command: [], pids: [1] }
  }
}
