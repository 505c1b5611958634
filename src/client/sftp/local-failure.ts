import { type ErrorCode, messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { systemSentence } from '../../core/system-error.js'
import type { LocalPath } from './types.js'

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'no-such-file',
  ENOTDIR: 'no-such-file',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  EROFS: 'permission-denied',
}

/** What an operation on a file of this machine has failed with, as one of ours that names the file; others as they are. */
function localFailure(error: unknown, path: LocalPath): unknown {
  if (error instanceof SshjobError || systemSentence(error) === undefined) return error
  const code = CODES[systemCode(error) ?? ''] ?? 'file-failed'
  return new SshjobError(code, `${path} here: ${messageOf(error)}.`, { cause: error })
}

/** Does something with a file of this machine. @throws as localFailure() */
export async function onLocal<T>(path: LocalPath, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw localFailure(error, path)
  }
}
