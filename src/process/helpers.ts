import {
  type ChildProcess,
  type ExecFileException,
  type ExecFileOptions,
  type ExecFileSyncOptions,
  execFile,
  execFileSync,
  type SpawnOptions,
  spawn,
} from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/**
 * Programs beside this one, on pipes of Node.js (pairs of sockets): tools that are asked something, carriers of
 * connections. What runs in a job is started by spawnProcess().
 */
export type { ChildProcess }

/** Starts a program, as child_process.spawn() does; an 'error' that nobody listens to ends nothing. */
export function startHelper(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(file, args, options)
  child.on('error', () => undefined)
  return child
}

export type PipedProcess = ChildProcess & { stdin: Writable; stdout: Readable }

/** Starts a program whose stdin and stdout are 'pipe'. */
export function startPiped(file: string, args: readonly string[], options: SpawnOptions): PipedProcess {
  const child = startHelper(file, args, options)
  if (isPiped(child)) return child
  throw new Error(`${file} could not be given pipes`)
}

function isPiped(child: ChildProcess): child is PipedProcess {
  return child.stdin !== null && child.stdout !== null
}

/** Runs a program to its end and collects what it says, as child_process.execFile() does. */
export function askHelper(
  file: string,
  args: readonly string[],
  options: ExecFileOptions,
  done: (error: ExecFileException | null, stdout: string, stderr: string) => void,
): ChildProcess {
  return execFile(file, args, { ...options, encoding: 'utf8' }, done)
}

/** Runs a program while everything else waits. @throws what child_process.execFileSync() throws */
export function runHelper(file: string, args: readonly string[], options: ExecFileSyncOptions): void {
  execFileSync(file, args, options)
}
