import { once } from 'node:events'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { connect } from '../client/connect.js'
import type { JobConnection } from '../client/types.js'
import { SshjobError } from '../core/errors.js'
import { DEMO_KILL_DELAY_MS, DEMO_START_TIMEOUT_MS } from '../core/limits.js'
import { temporaryDirectory } from '../core/path-safety.js'
import { retry } from '../core/retry.js'
import { local } from '../engines/local/local.js'
import { openLocalJob } from '../engines/local/local-jobs.js'
import { DIRECTORY_VARIABLE } from '../engines/local/runtime-directory.js'
import { type ChildProcess, startHelper } from '../process/helpers.js'
import { parseArguments, usage } from './arguments/options.js'
import { DEMO_OPTIONS } from './demo-options.js'
import { dieBySignal, exitStatus } from './ending/exit-status.js'
import { keepCode } from './keep-code.js'
import { formatJobs } from './ls/ls.js'
import { printHelp } from './manual/print-help.js'
import { serverProgram } from './programs.js'

const JOB_ID = 'demo'
const CALL_WIDTH = 74
const JOB = ['sh', '-c', 'while sleep 0.1; do n=$((n + 1)); done']

/** What is run in the job, and what it shows. */
const COMMANDS: readonly (readonly [command: string, what: string])[] = [
  ['echo "$DATASET in $PWD, beside process $SSHJOB_JOB_PIDS"', 'in its environment'],
  ['exit 7', 'with its exit status'],
  ['kill -TERM $$', 'or the signal that ended it'],
  ['echo out; echo err >&2', 'output and errors apart'],
]

/** `sshjob demo`: a small job, and sessions in it. Leaves nothing behind. */
export async function runDemoCommand(args: readonly string[]): Promise<number> {
  const { given, operands } = parseArguments(args, DEMO_OPTIONS, 'sshjob demo')
  if (given.some(({ name }) => name === 'help')) return printHelp(import('./manual/demo.js'))
  if (operands.length > 0) throw usage("'sshjob demo' takes no arguments.", 'sshjob demo')
  const folder = await realpath(await mkdtemp(join(await temporaryDirectory(), 'sshjob-demo-')))
  // A place of its own: jobs of the same name, or left-overs of others, are not met.
  process.env[DIRECTORY_VARIABLE] = folder
  const serving = [...serverProgram(), '--job-id', JOB_ID, '--quiet', '--', ...JOB]
  const starter = startHelper(process.execPath, serving, {
    cwd: folder,
    env: { ...process.env, DATASET: 'CIFAR-10' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const cleanUp = async (): Promise<void> => {
    await endStarter(starter)
    await rm(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void cleanUp().finally(() => dieBySignal(signal)))
  }
  try {
    await show(starter)
  } finally {
    await cleanUp()
  }
  print('', 'Now with a job of your own: sshjob-server --job-id NAME -- COMMAND, and then: sshjob NAME')
  return 0
}

async function show(starter: ChildProcess): Promise<void> {
  printCall(`sshjob-server --job-id ${JOB_ID} -- sh -c '${JOB[2]}'`, 'starts a job')
  const connection = await connectWhenStarted(starter)
  keepCode()
  printCall('sshjob ls', `finds it on ${hostname()}`)
  const jobs = await local.list({}, { onFailure: () => undefined })
  print(
    ...formatJobs(jobs, Date.now(), CALL_WIDTH)
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  )
  for (const [command, what] of COMMANDS) {
    printCall(`sshjob ${JOB_ID} '${command}'`, what)
    const remote = await connection.exec(command)
    const { stdout, stderr } = await remote.output()
    const { status, note } = exitStatus(await remote.ended)
    if (stdout.length > 0) print(`  stdout: ${stdout.toString().trimEnd()}`)
    if (stderr.length > 0) print(`  stderr: ${stderr.toString().trimEnd()}`)
    if (status !== 0) print(`  exit status ${status}${note === undefined ? '' : `: ${note}`}`)
  }
  await showTerminal(connection)
  await connection.close()
}

async function showTerminal(connection: JobConnection): Promise<void> {
  const command = 'tty; stty size'
  printCall(`sshjob -t ${JOB_ID} '${command}'`, 'in a terminal')
  const remote = await connection.exec(command, { pty: { columns: 132, rows: 43 } })
  const { stdout } = await remote.output()
  print(`  ${stdout.toString().trim().split(/\r?\n/).join(', ')}`)
}

async function connectWhenStarted(starter: ChildProcess): Promise<JobConnection> {
  const connecting = retry(async () => connect(await openLocalJob(JOB_ID)), {
    forMs: DEMO_START_TIMEOUT_MS,
    intervalMs: 50,
    onWait: () => undefined,
  })
  const failing = once(starter, 'exit').then(([code]) => {
    throw new SshjobError(
      'job-failed-to-start',
      `sshjob-server ended with status ${code} before it served its job.`,
    )
  })
  const connection = await Promise.race([connecting, failing])
  // From here on its end is what we ask for.
  failing.catch(() => undefined)
  return connection
}

async function endStarter(starter: ChildProcess): Promise<void> {
  if (starter.exitCode !== null || starter.signalCode !== null || starter.pid === undefined) return
  const ended = once(starter, 'exit')
  // The job gets it from the starter, and the starter ends with the job.
  starter.kill('SIGTERM')
  const timer = setTimeout(() => starter.kill('SIGKILL'), DEMO_KILL_DELAY_MS)
  await ended
  clearTimeout(timer)
}

function printCall(call: string, what: string): void {
  print(`$ ${call.padEnd(CALL_WIDTH)}  # ${what}`)
}

function print(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}
