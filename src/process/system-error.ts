import { errnoName, sentenceOfCode } from '../core/system-error.js'

/** What the C library says of a failure, as the errors of Node.js are. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  /** ENOENT, EMFILE. */
  readonly code: string
  readonly syscall: string

  constructor(errno: number, syscall: string) {
    const code = errnoName(errno) ?? `errno ${errno}`
    super(`${sentenceOfCode(code)}, ${syscall}`)
    this.code = code
    this.syscall = syscall
  }
}
