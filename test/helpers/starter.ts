import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectGone, serverOf } from './processes.js'
import { type RunningProgram, type StartOptions, startProgram, WRAPPER } from './programs.js'

/** A user with a home and a runtime directory of their own, as far as programs believe their environment. */
export interface TestUser {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
}

export interface StarterOptions extends Omit<StartOptions, 'stdin' | 'env'> {
  id?: string
  /** More options of sshjob-server. */
  options?: readonly string[]
  /** Default: one that ends when its stdin does, so that it outlives neither the test nor a starter that was killed. */
  command?: readonly string[]
  /** In addition to the user's environment. */
  env?: NodeJS.ProcessEnv
}

export interface StarterSuite {
  user(): TestUser
  /** Starts a starter, whose job runs when this resolves. Both are ended after the test. */
  start(options?: StarterOptions): Promise<RunningProgram>
}

export const JOB = 'train'
/** A session whose processes heed nothing short of KILL takes two seconds of it. */
const END_MS = 15_000

/** For the top of a `describe`: a user, and starters of theirs. */
export function starterSuite(): StarterSuite {
  let user: TestUser | undefined
  const started: RunningProgram[] = []

  const getUser = (): TestUser => {
    if (user === undefined) throw new Error('There is a user in tests and hooks only.')
    return user
  }
  beforeAll(() => {
    user = makeUser()
  })
  afterEach(() => Promise.all(started.splice(0).map(endStarter)))
  afterAll(() => {
    if (user !== undefined) rmSync(user.folder, { recursive: true, force: true })
  })
  return {
    user: getUser,
    async start({ id = JOB, options = [], command = ['cat'], env, ...rest } = {}) {
      const args = ['--job-id', id, '--quiet', '--log-level', 'info', ...options, '--', ...command]
      const starter = startProgram(WRAPPER, args, { ...rest, env: { ...getUser().env, ...env } })
      started.push(starter)
      // What a test has sent to a log file, it waits for itself.
      if (!options.includes('--log-file')) await starter.waitFor(/job started/)
      return starter
    },
  }
}

function makeUser(): TestUser {
  // Short: a unix socket's path below it has 107 bytes, unix(7).
  const folder = mkdtempSync(join(tmpdir(), 'sj-'))
  const [home, runtime, temporary] = ['home', 'run', 'tmp'].map((name) => join(folder, name))
  for (const path of [home, runtime, temporary]) mkdirSync(path ?? '', { mode: 0o700 })
  chmodSync(folder, 0o755)
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    // Apart from those of other tests, which run at the same time.
    SSHJOB_RUNTIME_DIR: join(runtime ?? '', 'sshjob'),
    XDG_RUNTIME_DIR: runtime,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    SHELL: '/bin/sh',
    TERM: 'xterm',
  }
  return { folder, env }
}

/** Politely first: only a starter that ends by itself shows that it can. */
async function endStarter(starter: RunningProgram): Promise<void> {
  starter.child.stdin.end()
  starter.kill('SIGTERM')
  let forced = false
  const timer = setTimeout(() => {
    forced = true
    starter.kill('SIGKILL')
  }, END_MS)
  await starter.ended
  clearTimeout(timer)
  if (forced) throw new Error(`The starter did not end and had to be killed:\n${starter.stderr()}`)
}

/** kill -9 of the server, as of a system that runs out of memory. Its job goes on, until its stdin ends. */
export async function killStarter(starter: RunningProgram): Promise<void> {
  const server = serverOf(starter.pid)
  process.kill(server, 'SIGKILL')
  await expectGone(server)
}
