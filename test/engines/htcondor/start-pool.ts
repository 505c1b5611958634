import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  type StartOptions,
  startProgram,
} from '../../helpers/programs.js'

export type Suite = 'trixie' | 'sid'
/** carol's shell is nologin. */
export type User = 'root' | 'alice' | 'bob' | 'carol'
type Input = Pick<StartOptions, 'stdin'>

const SCRIPT = join(process.cwd(), 'test/engines/htcondor/pool')
const POLL_MS = 200
const WAIT_MS = 60_000
/** The first one installs Debian's packages. */
export const POOL_START_MS = 15 * 60_000

/** A pool of HTCondor on this machine, which ends with this process at the latest. */
export interface Pool {
  readonly suite: Suite
  /** Runs a program in the pool to its end. */
  run(user: User, args: readonly string[], options?: Input): Promise<ProgramResult>
  /** Runs a program in the pool that must succeed; gives what it wrote on stdout, without the last line end. */
  get(user: User, args: readonly string[], options?: Input): Promise<string>
  start(user: User, args: readonly string[], options?: Input): RunningProgram
  /** Starts a program of this machine in the pool's network. */
  startBeside(args: readonly string[]): RunningProgram
  /** Starts Docker, with an image called 'small'. The execution point has to be restarted to see it. */
  startDocker(): Promise<void>
  /** The line for a shell of this machine that runs a program in the pool. */
  line(user: User, args: readonly string[]): string
  /** Submits a job; gives its id, '12.0'. Each line is one of condor_submit(1)'s. */
  submit(user: User, ...lines: readonly string[]): Promise<string>
  /** Resolves once the job is in this state. */
  reaches(job: string, state: keyof typeof STATES): Promise<void>
  /** Resolves once condor_ssh_to_job gets to the job: a moment after it runs, when the queue knows its starter. */
  becomesEnterable(user: User, job: string): Promise<void>
  /** With these settings in addition; gives its address once it can take jobs. Those that ran there are gone. */
  restartExecutionPoint(settings: string): Promise<string>
  stop(): Promise<void>
}

/** JobStatus, condor_q(1). */
const STATES = { idle: '1', running: '2', removed: '3', completed: '4', held: '5', suspended: '7' }

/** @param name tells this pool from others of the same suite on this machine */
export async function startPool(suite: Suite, name: string): Promise<Pool> {
  const id = `${suite}:${name}`
  await must([SCRIPT, 'start', id, '--while', String(process.pid)])
  const words = (user: User, args: readonly string[]): string[] => ['exec', id, '--user', user, '--', ...args]

  async function must([file = '', ...args]: readonly string[], options: Input = {}): Promise<string> {
    const result = await runProgram(file, args, options)
    if (result.exitCode === 0) return result.stdout.replace(/\n$/, '')
    throw new Error(`${args.join(' ')} exited with ${result.exitCode}: ${result.stderr}${result.stdout}`)
  }

  const pool: Pool = {
    suite,
    run: (user, args, options) => runProgram(SCRIPT, words(user, args), options),
    get: (user, args, options) => must([SCRIPT, ...words(user, args)], options),
    start: (user, args, options) => startProgram(SCRIPT, words(user, args), options),
    startBeside: (args) => startProgram(SCRIPT, ['net', id, '--', ...args]),
    startDocker: async () => void (await must([SCRIPT, 'docker', id])),
    line: (user, args) => [SCRIPT, ...words(user, args)].map(quote).join(' '),
    async submit(user, ...lines) {
      const stdin = [...lines, 'queue', ''].join('\n')
      const id = await patiently(() => pool.get(user, ['condor_submit', '-terse', '-'], { stdin }))
      return id.split(' ')[0] ?? ''
    },
    async reaches(job, state) {
      const deadline = Date.now() + WAIT_MS
      const ask = ['condor_q', job, '-allusers', '-af', 'JobStatus']
      for (let found = ''; found !== STATES[state]; found = await patiently(() => pool.get('root', ask))) {
        if (Date.now() > deadline) {
          const why = await pool.get('root', ['condor_q', '-better-analyze', job])
          throw new Error(`Job ${job} is in state '${found}' and not ${state}: ${why}`)
        }
        await delay(POLL_MS)
      }
    },
    async becomesEnterable(user, job) {
      // The nodes of a parallel job are one entry of the queue.
      await pool.reaches(job.split('.', 2).join('.'), 'running')
      const tries = async (): Promise<string> =>
        (await pool.run(user, ['condor_ssh_to_job', job, 'true'])).stderr
      while ((await tries()).includes('Use -auto-retry')) await delay(POLL_MS)
    },
    async restartExecutionPoint(settings) {
      const started = (): Promise<string> =>
        patiently(() => pool.get('root', ['condor_status', '-af', 'DaemonStartTime', 'MyAddress']))
      const before = (await started()).split(' ')[0]
      await pool.get('root', ['tee', '/etc/condor/config.d/60-test'], { stdin: settings })
      await pool.get('root', ['condor_restart', '-fast', '-daemon', 'startd'])
      for (;;) {
        const [time, address] = (await started()).split('\n')[0]?.split(' ') ?? []
        if (address !== undefined && time !== before) return address
        await delay(POLL_MS)
      }
    },
    stop: async () => void (await must([SCRIPT, 'stop', id])),
  }
  return pool
}

/** A daemon that is busy, or reads its configuration anew, may not answer a tool in time. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + WAIT_MS; ; await delay(POLL_MS)) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
