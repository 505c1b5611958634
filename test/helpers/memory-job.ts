import { PassThrough, type Readable, type Writable } from 'node:stream'
import { deferred } from '../../src/core/deferred.js'
import type { Job, JobProcess, ProcessEnd, ProcessRequest, TerminalSize } from '../../src/job/job.js'
import { testInside } from './inside.js'

/** A process as its program sees it. */
export interface MemoryProcess {
  request: ProcessRequest
  stdin: Readable
  stdout: Writable
  stderr: Writable
  /** What its session did to it. */
  signals: string[]
  sizes: TerminalSize[]
  breaks: number
  terminated: boolean
}

/** What runs in the job; it may end its output before it resolves, which happens for it otherwise. */
export type Program = (process: MemoryProcess) => Promise<ProcessEnd> | ProcessEnd

export interface MemoryJob extends Job {
  processes: MemoryProcess[]
}

/** A job whose processes are functions: for what a session does with a process, whatever that may be. */
export function memoryJob(program: Program, terminalUnavailable?: string): MemoryJob {
  const processes: MemoryProcess[] = []
  return {
    id: 'memory',
    command: ['sleep', '1'],
    user: 'nobody',
    since: new Date(0),
    processes,
    pids: () => [11, 12],
    terminalUnavailable: () => terminalUnavailable,
    spawn: (request) => start(program, request, processes),
    inside: () => testInside(),
  }
}

/** The same, where nothing but processes is offered. */
export function outsideJob(program: Program): MemoryJob {
  const { inside: _, ...job } = memoryJob(program)
  return job
}

function start(program: Program, request: ProcessRequest, processes: MemoryProcess[]): JobProcess {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const ending = deferred<ProcessEnd>()
  const process: MemoryProcess = {
    request,
    stdin,
    stdout,
    stderr,
    signals: [],
    sizes: [],
    breaks: 0,
    terminated: false,
  }
  processes.push(process)
  stdout.on('error', () => undefined) // the session may have gone
  stderr.on('error', () => undefined)
  const end = (how: ProcessEnd): void => {
    if (stdout.writable) stdout.end()
    if (stderr.writable) stderr.end()
    stdin.destroy()
    ending.resolve(how)
  }
  // As a process: it begins after spawn() has returned.
  setImmediate(() => void Promise.resolve(program(process)).then(end, () => end({ exitCode: 70 })))
  return {
    pid: 4_000_000 + processes.length,
    stdin,
    stdout,
    stderr: request.terminal === undefined ? stderr : undefined,
    ended: ending.promise,
    resize: (size) => void process.sizes.push(size),
    signal: (name) => process.signals.push(name) > 0 && name !== 'NONSENSE',
    sendBreak: () => ++process.breaks > 0 && request.terminal !== undefined,
    async terminate() {
      process.terminated = true
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
      ending.resolve({ signal: 'KILL', coreDumped: false })
    },
  }
}

/** A program that runs until it is terminated, and does nothing. */
export const idle: Program = () => new Promise(() => undefined)

/** A program that writes back what it reads. */
export const echo: Program = async ({ stdin, stdout }) => {
  for await (const chunk of stdin) if (!stdout.write(chunk)) await new Promise((r) => stdout.once('drain', r))
  return { exitCode: 0 }
}
