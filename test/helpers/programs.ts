import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** Jest runs from the folder that has package.json; the tests use the programs as they are built. */
const DIST = join(process.cwd(), 'dist')
export const SSHJOB = join(DIST, 'sshjob.cjs')
export const SSHJOB_SERVER = join(DIST, 'sshjob-server.cjs')
/** What is installed as `sshjob-server`: it stands in front of that, and stays there while a job runs. */
export const WRAPPER = join(DIST, 'sshjob-server')
export const SSHJOB_KEYGEN = join(DIST, 'sshjob-keygen.cjs')
export const LAUNCH = join(DIST, 'programs/launch.cjs')

/** A test's program that writes more than this to stdout or stderr is ended: the test is wrong, or the program. */
const MAX_COLLECTED_BYTES = 64 * 1024 * 1024
const DEFAULT_WAIT_MS = 20_000
const ORPHANS_WAIT_MS = 1_000
const STOP_INTERVAL_MS = 500

export interface StartOptions {
  /** Instead of our own environment, not in addition to it. */
  env?: NodeJS.ProcessEnv
  cwd?: string
  uid?: number
  gid?: number
  /** What it reads; undefined leaves stdin open. */
  stdin?: string | Buffer
}

export interface ProgramEnd {
  exitCode: number | null
  signal: NodeJS.Signals | null
}

export interface RunningProgram {
  readonly pid: number
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  /** What it has written until now. */
  stdout(): Buffer
  stderr(): Buffer
  /** After its end, all its output having been collected. Never rejects. */
  readonly ended: Promise<ProgramEnd>
  /** Resolves once stdout or stderr matches. Rejects, showing both, when the program ends first or the time is up. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<void>
  kill(signal?: NodeJS.Signals): void
  /** TERM until it ends: OpenSSH's client, up to 9.2 at least, misses one that comes just before it waits in poll(2). */
  stop(): Promise<ProgramEnd>
}

export interface ProgramResult extends ProgramEnd {
  stdout: string
  stderr: string
}

/** Those of the test that runs, and those of a `beforeAll`, which live until the end of the file. */
const ofTest = new Set<RunningProgram>()
const ofFile = new Set<RunningProgram>()
let inTest = false

async function end(programs: Set<RunningProgram>): Promise<void> {
  await Promise.all(
    [...programs].map(async ({ child, ended }) => {
      child.kill('SIGKILL')
      child.stdin.destroy()
      // Its own children may hold its output open for ever: that is found at the end of the run, not waited for here.
      const letGo = setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, ORPHANS_WAIT_MS)
      await ended
      clearTimeout(letGo)
    }),
  )
}

beforeEach(() => {
  inTest = true
})

afterEach(async () => {
  inTest = false
  await end(ofTest)
})

afterAll(() => end(ofFile))

/**
 * Starts a program; a JavaScript file is run by this Node.js. What still runs after the test, or after the file's
 * last test if it was started in a `beforeAll`, is killed.
 */
export function startProgram(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): RunningProgram {
  const { stdin, ...spawnOptions } = options
  const [file, argv] = /\.[cm]?js$/.test(command)
    ? [process.execPath, [command, ...args]]
    : [command, [...args]]
  const child = spawn(file, argv, { ...spawnOptions, stdio: ['pipe', 'pipe', 'pipe'] })
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const text = (): string => `${Buffer.concat(chunks.stdout)}${Buffer.concat(chunks.stderr)}`
  const watchers = new Set<() => void>()

  for (const name of ['stdout', 'stderr'] as const) {
    let collected = 0
    child[name].on('data', (chunk: Buffer) => {
      collected += chunk.length
      if (collected > MAX_COLLECTED_BYTES) child.kill('SIGKILL')
      else chunks[name].push(chunk)
      for (const watch of watchers) watch()
    })
  }
  // A program that doesn't read its input closes it: EPIPE is then no failure of the test.
  child.stdin.on('error', () => undefined)
  if (stdin !== undefined) child.stdin.end(stdin)

  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once('error', (error) => {
      chunks.stderr.push(Buffer.from(`${error.message}\n`))
      if (child.pid === undefined) resolve({ exitCode: null, signal: null })
    })
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
  })

  const program: RunningProgram = {
    pid: child.pid ?? -1,
    child,
    stdout: () => Buffer.concat(chunks.stdout),
    stderr: () => Buffer.concat(chunks.stderr),
    ended,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    stop: async () => {
      child.kill()
      const timer = setInterval(() => child.kill(), STOP_INTERVAL_MS)
      try {
        return await ended
      } finally {
        clearInterval(timer)
      }
    },
    waitFor: (pattern, timeoutMs = DEFAULT_WAIT_MS) =>
      new Promise((resolve, reject) => {
        const finish = (failure?: string): void => {
          clearTimeout(timer)
          watchers.delete(watch)
          if (failure === undefined) resolve()
          else reject(new Error(`${command} ${failure} before it wrote ${pattern}. It wrote:\n${text()}`))
        }
        const watch = (): void => {
          if (pattern.test(text())) finish()
        }
        const timer = setTimeout(() => finish(`ran for ${timeoutMs} ms`), timeoutMs)
        watchers.add(watch)
        watch()
        ended.then(() => finish('ended'))
      }),
  }
  const others = inTest ? ofTest : ofFile
  others.add(program)
  ended.then(() => others.delete(program))
  return program
}

/** Runs a program to its end. Unless `stdin` is given, it reads nothing. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<ProgramResult> {
  const program = startProgram(command, args, { stdin: '', ...options })
  const end = await program.ended
  return { ...end, stdout: program.stdout().toString(), stderr: program.stderr().toString() }
}
