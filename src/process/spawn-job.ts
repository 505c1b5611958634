import { handOn, keepFromChildren } from './descriptors.js'
import type { ProcessEnd } from './exits.js'
import { startHelper } from './helpers.js'
import { libc } from './libc.js'
import { type SpawnedProcess, type SpawnOptions, spawnProcess } from './spawn.js'

export interface SpawnJobOptions extends Omit<SpawnOptions, 'stdio' | 'ownSession'> {
  stdio?: readonly [number, number, number]
  /** Further descriptors that it gets, under their numbers. */
  descriptors?: readonly number[]
}

/** Has what takes time before a process is made, which is then made at once. */
export function readyToSpawn(): void {
  try {
    libc()
  } catch {
    // spawnJob() knows what to do.
  }
}

/**
 * Starts the job itself, with our stdin, stdout and stderr unless others are given. Where others are, somebody else can
 * start it if we can't.
 * @throws what spawnProcess() throws
 */
export function spawnJob({ descriptors = [], ...options }: SpawnJobOptions): SpawnedProcess {
  try {
    libc()
  } catch (error) {
    if (options.stdio !== undefined) throw error
    return spawnByNode(options)
  }
  // Those below 16 Node.js has kept from children when it started: uv_disable_stdio_inheritance.
  for (const descriptor of descriptors) handOn(descriptor)
  try {
    return spawnProcess(options)
  } finally {
    for (const descriptor of descriptors) keepFromChildren(descriptor)
  }
}

/**
 * Starts a program with our stdin, stdout and stderr, as far as Node.js can do what spawnProcess() does: variables and
 * arguments are strings, no signal is ignored, and the limit of open files is ours. For a job, which has to run although
 * koffi can't be loaded, and nobody can enter it.
 * @throws Error without the reason, which child_process tells too late
 */
function spawnByNode({ file, args, environment, directory }: SpawnOptions): SpawnedProcess {
  const [name = '', ...rest] = args.map(String)
  const env = Object.fromEntries([...environment].map(([variable, value]) => [variable, String(value)]))
  const child = startHelper(String(file), rest, {
    argv0: name,
    env,
    cwd: directory?.toString(),
    stdio: 'inherit',
  })
  const { pid } = child
  if (pid === undefined) throw new Error('the system refused')
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? { exitCode: code ?? 0 } : { signal: signal.slice(3), coreDumped: false })
    })
  })
  return { pid, ended }
}
