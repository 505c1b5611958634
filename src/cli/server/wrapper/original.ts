import { readdirSync, readFileSync } from 'node:fs'
import { parseEnvironment } from '../../../job/environment.js'
import { has, readIgnored } from '../../../process/hang-up.js'
import { readOpenFiles } from '../../../process/open-files.js'
import { REAL_TIME_MAX } from '../../../process/signals.js'

/** What the wrapper was started with, and the job is to be started with. */
export interface Original {
  /** Undefined where it can't be read: then our own is the next best. */
  readonly environment: Map<string, Buffer> | undefined
  /** The numbers of the signals that are ignored. */
  readonly ignoredSignals: readonly number[]
  /** The soft limit of open files; undefined if there is none. */
  readonly openFiles: number | undefined
  /** Descriptors besides stdin, stdout and stderr. */
  readonly descriptors: readonly number[]
}

/** The C library keeps them to itself: nptl(7). */
const OF_LIBC: readonly number[] = [32, 33]
/** O_CLOEXEC as /proc/PID/fdinfo shows it, in octal. */
const CLOSE_ON_EXEC = 0o2000000

/**
 * Reads it from /proc, as proc(5) has it. What a shell is started with, and can't say itself, is there: its environment
 * as bytes, also what no shell can export; and the signals that were ignored, for no shell may catch those.
 * @param own descriptors of the wrapper that are not for the job
 */
export function readOriginal(pid: number, own: readonly number[]): Original {
  const openFiles = Number(readOpenFiles(pid)?.soft)
  return {
    environment: readVariables(pid),
    ignoredSignals: listIgnored(pid),
    openFiles: Number.isNaN(openFiles) ? undefined : openFiles,
    descriptors: listDescriptors(pid, own),
  }
}

function readVariables(pid: number): Original['environment'] {
  try {
    return parseEnvironment(readFileSync(`/proc/${pid}/environ`))
  } catch {
    return undefined
  }
}

function listIgnored(pid: number): number[] {
  const mask = readIgnored(pid)
  const numbers = Array.from({ length: REAL_TIME_MAX }, (_, index) => index + 1)
  return numbers.filter((number) => has(mask, number) && !OF_LIBC.includes(number))
}

/** A shell marks its own as close-on-exec. */
function listDescriptors(pid: number, own: readonly number[]): number[] {
  const isInherited = (descriptor: number): boolean => {
    const info = readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1')
    return (Number.parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '', 8) & CLOSE_ON_EXEC) === 0
  }
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .filter((descriptor) => descriptor > 2 && !own.includes(descriptor) && isInherited(descriptor))
  } catch {
    return []
  }
}
