import { abortError, messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { HTCONDOR_ANSWER_MAX_BYTES, HTCONDOR_TOOL_TIMEOUT_MS } from '../../core/limits.js'
import { findProgramSync } from '../../process/find-program.js'
import { askHelper } from '../../process/helpers.js'
import type { Queue } from './settings.js'

export interface ToolRun {
  exitCode: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  signal?: AbortSignal | undefined
  /** Default: HTCONDOR_TOOL_TIMEOUT_MS. */
  timeoutMs?: number | undefined
}

/**
 * Runs a program to its end, without input.
 * @throws SshjobError 'program-missing', 'unreachable' where it gives no answer in time, 'aborted', 'spawn-failed'
 */
export function runTool(
  program: string,
  args: readonly string[],
  { signal, timeoutMs = HTCONDOR_TOOL_TIMEOUT_MS }: RunOptions = {},
): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    const limits = {
      timeout: timeoutMs,
      maxBuffer: HTCONDOR_ANSWER_MAX_BYTES,
      killSignal: 'SIGKILL',
    } as const
    const child = askHelper(
      program,
      [...args],
      { ...limits, ...(signal === undefined ? {} : { signal }), env: process.env },
      (error, stdout, stderr) => {
        if (error === null) resolve({ exitCode: 0, stdout, stderr })
        else if (signal?.aborted) reject(abortError(signal))
        else if (systemCode(error) === 'ENOENT') reject(missing(program))
        else if (error.killed) reject(silent(program, timeoutMs, error))
        else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr })
        else reject(failed(program, error))
      },
    )
    // A program that doesn't read its input closes it.
    child.stdin?.on('error', () => undefined).end()
  })
}

/** The path of a program in PATH. */
export function findTool(program: string): string | undefined {
  return findProgramSync(program, { path: process.env.PATH })
}

/** The options that say which queue is meant; HTCondor's tools have them in common. */
export function queueArguments({ name, pool }: Queue = {}): string[] {
  return [...(name === undefined ? [] : ['-name', name]), ...(pool === undefined ? [] : ['-pool', pool])]
}

function missing(program: string): SshjobError {
  return new SshjobError(
    'program-missing',
    `${program} was not found: it belongs to HTCondor, and its folder has to be in PATH.`,
  )
}

function silent(program: string, timeoutMs: number, cause: Error): SshjobError {
  return new SshjobError('unreachable', `${program} gave no answer within ${timeoutMs / 1_000} s.`, {
    cause,
    retry: true,
  })
}

function failed(program: string, cause: Error): SshjobError {
  return new SshjobError('spawn-failed', `${program} could not be run: ${messageOf(cause)}`, { cause })
}
