import type { Readable } from 'node:stream'
import type { Job, JobProcess, ProcessEnd, ProcessRequest, TerminalRequest } from '../../src/job/job.js'
import { type LocalJobOptions, localJob } from '../../src/job/local-job.js'
import { listSessions } from '../../src/process/process-tree.js'
import { sendSignal } from '../../src/process/signals.js'

export const TERMINAL: TerminalRequest = {
  term: 'xterm',
  columns: 80,
  rows: 24,
  width: 0,
  height: 0,
  modes: [],
}

const sessions: JobProcess[] = []

afterEach(async () => {
  const ended = sessions.splice(0)
  await Promise.all(ended.map((session) => session.terminate()))
  // What stays on purpose as well.
  const left = await listSessions()
  for (const { pid } of ended.flatMap((session) => left.get(session.pid) ?? [])) sendSignal(pid, 9)
})

/** A job that this test is inside of. */
export function testJob(options: Partial<LocalJobOptions> = {}): Job {
  return localJob({ id: 'test', command: ['test'], pids: () => [process.pid], ...options })
}

/** Starts a session, which is ended after the test. */
export async function startIn(
  job: Job,
  command: string | Buffer | undefined,
  options: Partial<ProcessRequest> = {},
): Promise<JobProcess> {
  const session = await job.spawn({
    command: command === undefined ? undefined : Buffer.from(command),
    environment: new Map(),
    terminal: undefined,
    ...options,
  })
  sessions.push(session)
  return session
}

export async function readAll(stream: Readable | undefined): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export interface Result {
  stdout: string
  stderr: string
  end: ProcessEnd
}

/** Runs a command without input to its end. */
export async function runIn(
  job: Job,
  command: string | Buffer,
  options: Partial<ProcessRequest> = {},
): Promise<Result> {
  const session = await startIn(job, command, options)
  session.stdin.end()
  const [stdout, stderr, end] = await Promise.all([
    readAll(session.stdout),
    readAll(session.stderr),
    session.ended,
  ])
  return { stdout: stdout.toString(), stderr: stderr.toString(), end }
}

/** Reads a session's output until it has this text; gives all that was read. */
export function readUntil(session: JobProcess, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let read = ''
    const look = (chunk: Buffer): void => {
      read += chunk.toString('latin1')
      if (!read.includes(text)) return
      stop()
      resolve(read)
    }
    const fail = (): void => {
      stop()
      reject(new Error(`The output ended without '${text}': ${read}`))
    }
    const stop = (): void => {
      session.stdout.pause()
      session.stdout.off('data', look)
      session.stdout.off('end', fail)
    }
    session.stdout.on('data', look)
    session.stdout.on('end', fail)
    session.stdout.resume()
  })
}
