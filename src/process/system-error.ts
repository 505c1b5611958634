import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { systemCode } from '../core/errors.js'

/** What the C library says of a failure, as the errors of Node.js are. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  /** ENOENT, EMFILE. */
  readonly code: string
  readonly syscall: string

  constructor(errno: number, syscall: string) {
    const code = nameOf(errno)
    super(`${sentenceOfCode(code)}, ${syscall}`)
    this.code = code
    this.syscall = syscall
  }
}

function nameOf(errno: number): string {
  // libuv's names first: they are one for each number.
  const known = getSystemErrorMap().get(-errno)?.[0]
  return (
    known ?? Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
  )
}

/** The kernel's sentence for an error code: 'ENOENT' gives 'no such file or directory (ENOENT)'. */
export function sentenceOfCode(code: string): string {
  const number = Object.entries(constants.errno).find(([name]) => name === code)?.[1]
  const known = number === undefined ? undefined : getSystemErrorMap().get(-number)
  return known === undefined ? code : `${known[1]} (${code})`
}

/** The kernel's sentence for a thrown system error, or the error's own words. */
export function sentenceOf(error: unknown): string {
  const code = systemCode(error)
  if (code !== undefined) return sentenceOfCode(code)
  return error instanceof Error ? error.message : String(error)
}
