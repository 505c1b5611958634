import { findProgram } from './needs.js'

/** Those that are /bin/sh somewhere, as commands that behave as they do then. */
const KNOWN: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['dash', ['dash']],
  ['busybox', ['busybox', 'sh']],
  ['bash', ['bash', '--posix']],
]

/** Those of them that are here. */
export const SHELLS: [name: string, command: string[]][] = KNOWN.flatMap(
  ([name, [program = '', ...args]]) => {
    const file = findProgram(program)
    return file === undefined ? [] : [[name, [file, ...args]]]
  },
)
