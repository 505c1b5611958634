import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readdirSync, readFileSync } from 'node:fs'

/** What a child gets as its stdin, stdout or stderr: one of our descriptors, a socket pair, ours, or nothing. */
export type ChildStdio = number | 'pipe' | 'inherit' | 'ignore'

export interface ChildOptions {
  stdio: readonly [ChildStdio, ChildStdio, ChildStdio]
  environment: Readonly<Record<string, string>>
  /** Default: ours, whether it has a name or not. */
  directory?: string | undefined
  /** What the program is told to be called. Default: the file. */
  argv0?: string
  /** Make it the leader of a POSIX session of its own (setsid(2)). Default: true. */
  ownSession?: boolean
  /** Hand on descriptors that this process itself was started with, beyond the first three. Default: false. */
  keepInherited?: boolean
  /** Hand on these, above the first three, under their numbers, though Node.js has marked most as close-on-exec. */
  descriptors?: readonly number[]
}

/** O_CLOEXEC as /proc/PID/fdinfo shows it, in octal; the same on every architecture that Node.js runs on. */
const CLOSE_ON_EXEC = 0o2000000

const hidden = new Set<number>()
let inherited: readonly number[] | undefined
let nothing: number | undefined

/**
 * Keeps a descriptor from every child that is started from now on, until the returned function is called.
 *
 * A descriptor without close-on-exec, which is what openpty(3) gives, would be open in all of them: a terminal
 * whose other side a stranger holds never hangs up. Node.js has no fcntl(2) to mend the flag.
 */
export function hideFromChildren(descriptor: number): () => void {
  hidden.add(descriptor)
  return () => {
    hidden.delete(descriptor)
  }
}

/** The descriptors above stderr that we were started with, and that our children would inherit. */
function listInherited(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => {
      if (descriptor < 3 || hidden.has(descriptor)) return false
      try {
        const flags = /^flags:\s*([0-7]+)/m.exec(
          readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'),
        )?.[1]
        return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
      } catch {
        return false // the descriptor that was listing the folder
      }
    })
}

/**
 * Starts every child process of this project. What it must not inherit is covered: the stdio array of spawn()
 * puts /dev/null over the number of each such descriptor (libuv calls dup2(2) in the child).
 * @returns the child; its `pid` is undefined if it could not be started, and 'error' events need no listener
 * @throws a system error, E2BIG for example, for what libuv reports at once
 */
export function startChild(file: string, args: readonly string[], options: ChildOptions): ChildProcess {
  nothing ??= openSync('/dev/null', 'r+')
  const covered = [...hidden]
  if (!options.keepInherited) {
    inherited ??= listInherited()
    covered.push(...inherited)
  }
  const stdio: ChildStdio[] = [...options.stdio]
  for (const descriptor of covered) {
    while (stdio.length <= descriptor) stdio.push('ignore')
    stdio[descriptor] = nothing
  }
  for (const descriptor of options.descriptors ?? []) {
    while (stdio.length <= descriptor) stdio.push('ignore')
    stdio[descriptor] = descriptor
  }
  const child = spawn(file, args, {
    stdio,
    cwd: options.directory,
    env: { ...options.environment },
    detached: options.ownSession ?? true,
    argv0: options.argv0,
  })
  // A failure shows in `pid` already; without a listener the event would end this process.
  child.on('error', () => undefined)
  return child
}
