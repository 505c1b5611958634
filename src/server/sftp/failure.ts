import { SshjobError } from '../../core/errors.js'
import { kernelSentence, systemCode } from '../../core/system-error.js'
import { FX } from '../../ssh/sftp-protocol.js'

/** A request that is answered with this status: a code of §7, and a sentence where the code says too little. */
export class SftpFailure extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** As sftp-server(8) names them. */
const SENTENCES: Readonly<Record<number, string>> = {
  [FX.OK]: 'Success',
  [FX.EOF]: 'End of file',
  [FX.NO_SUCH_FILE]: 'No such file',
  [FX.PERMISSION_DENIED]: 'Permission denied',
  [FX.FAILURE]: 'Failure',
  [FX.BAD_MESSAGE]: 'Bad message',
  [FX.OP_UNSUPPORTED]: 'Operation unsupported',
}

/** errno_to_portable() of OpenSSH's sftp-server.c: what is not here is a FAILURE. */
const STATUS_OF_ERRNO: Readonly<Record<string, number>> = {
  ENOENT: FX.NO_SUCH_FILE,
  ENOTDIR: FX.NO_SUCH_FILE,
  EBADF: FX.NO_SUCH_FILE,
  ELOOP: FX.NO_SUCH_FILE,
  EPERM: FX.PERMISSION_DENIED,
  EACCES: FX.PERMISSION_DENIED,
  EFAULT: FX.PERMISSION_DENIED,
  ENAMETOOLONG: FX.BAD_MESSAGE,
  EINVAL: FX.BAD_MESSAGE,
  ENOSYS: FX.OP_UNSUPPORTED,
}

export interface Status {
  code: number
  message: string
}

export function status(code: number, message = SENTENCES[code] ?? 'Unknown error'): Status {
  return { code, message }
}

/** The status for what an operation has thrown. */
export function statusOf(error: unknown): Status {
  if (error instanceof SftpFailure) return status(error.status, error.message)
  // As sftp-server's, without the dot of a sentence.
  if (error instanceof SshjobError) return status(FX.FAILURE, error.message.replace(/\.$/, ''))
  // Reading past the end of a packet: the request is truncated.
  if (error instanceof RangeError && systemCode(error) === undefined) return status(FX.BAD_MESSAGE)
  const errno = systemCode(error) ?? ''
  const code = STATUS_OF_ERRNO[errno] ?? FX.FAILURE
  if (code !== FX.FAILURE) return status(code)
  // The kernel's sentence, such as 'no space left on device', says what the code does not.
  return status(code, kernelSentence(errno))
}
