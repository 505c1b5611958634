import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { readStat } from '../../job/process-tree.js'
import type { Wrapper } from './wrapper/wrapper.js'

const STDERR = 2

/** Where the server says something to people: the stderr of the job. */
export interface ErrorOutput {
  readonly descriptor: number
  readonly isTerminal: boolean
  /** Never fails: there is nowhere left to say that. */
  write(line: string): void
}

export function errorOutput(wrapper?: Wrapper): ErrorOutput {
  const descriptor = wrapper?.stdio[2] ?? STDERR
  const isTerminal = isatty(descriptor)
  return {
    descriptor,
    isTerminal,
    write(line) {
      // A terminal may stop jobs in the background that write to it (stty tostop). We catch that signal, so that it
      // stops nobody but the job, and would write again and again; the wrapper's shell can do it without.
      if (isTerminal && wrapper !== undefined && isInBackground()) return wrapper.tell(`say ${line}`)
      try {
        writeSync(descriptor, line)
      } catch {
        // Nobody reads it any more.
      }
    },
  }
}

function isInBackground(): boolean {
  const stat = readStat('self')
  return stat !== undefined && stat.foreground !== stat.group
}
