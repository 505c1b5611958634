import { write, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { readStat } from '../../process/process-tree.js'
import type { Wrapper } from './wrapper/wrapper.js'

const STDERR = 2

/** Where the server says something to people: the stderr of the job. */
export interface ErrorOutput {
  readonly descriptor: number
  /**
   * Has a line written by somebody else, where we may not; false if we may. A terminal may stop jobs in the background
   * that write to it (stty tostop). We catch that signal, so that it stops nobody but the job, and would write again and
   * again; the wrapper's shell can do it without.
   */
  delegate(line: string): boolean
  /** Writes the last words of a process. Never fails: there is nowhere left to say that. */
  write(line: string): void
  /** Writes it or not: nobody waits for it. */
  writeLater(line: string): void
}

export function errorOutput(wrapper?: Wrapper): ErrorOutput {
  const descriptor = wrapper?.stdio[2] ?? STDERR
  const isTerminal = isatty(descriptor)
  const delegate = (line: string): boolean => {
    if (!isTerminal || wrapper === undefined || !isInBackground()) return false
    wrapper.tell(`say ${line}`)
    return true
  }
  return {
    descriptor,
    delegate,
    write(line) {
      if (delegate(line)) return
      try {
        writeSync(descriptor, line)
      } catch {
        // Nobody reads it any more.
      }
    },
    writeLater(line) {
      if (!delegate(line)) write(descriptor, line, () => undefined)
    },
  }
}

function isInBackground(): boolean {
  const stat = readStat('self')
  return stat !== undefined && stat.foreground !== stat.group
}
