import { readFileSync } from 'node:fs'
import type { ProcessEnd } from './job.js'
import { readLimit } from './open-files.js'

/** The signals whose default action writes a core file, signal(7). */
const CORE_SIGNALS = ['QUIT', 'ILL', 'ABRT', 'FPE', 'SEGV', 'BUS', 'SYS', 'TRAP', 'XCPU', 'XFSZ', 'IOT']

/**
 * Whether a process that this signal ended has left a core file. An inference: Node.js does not hand on
 * WCOREDUMP of wait(2). By core(5), a core goes to a file if the limit allows one byte of it, and to a program
 * (a pattern that begins with '|') whatever the limit is, but for 1. The limits are ours, which the process
 * inherited and may have changed; a disk that is full and a folder that can't be written to are not seen.
 */
export function infersCore(signal: string, pattern: string, softLimit: string): boolean {
  if (!CORE_SIGNALS.includes(signal)) return false
  return pattern.startsWith('|') ? softLimit !== '1' : pattern !== '' && softLimit !== '0'
}

function readPattern(): string {
  try {
    return readFileSync('/proc/sys/kernel/core_pattern', 'latin1').trim()
  } catch {
    return ''
  }
}

/** What Node.js says of an ended child, as our value. Of code and signal, exactly one is set. */
export function describeEnd(code: number | null, signal: string | null): ProcessEnd {
  if (signal === null) return { exitCode: code ?? 0 }
  const name = signal.replace(/^SIG/, '')
  const coreDumped = infersCore(name, readPattern(), readLimit('self', 'Max core file size')?.soft ?? '0')
  return { signal: name, coreDumped }
}
