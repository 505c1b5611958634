import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { SshjobError, systemCode } from '../../../core/errors.js'
import { whyUnsafe } from '../../../core/path-safety.js'

/**
 * Refuses a place in which others could put something else where we, maybe as root, then read, write or remove.
 * @throws SshjobError 'unsafe-directory' with the sentence that says why
 */
export async function refuseUnsafe(place: string, advice: string): Promise<void> {
  const complaint = await whyUnsafe(place)
  if (complaint === undefined) return
  throw new SshjobError('unsafe-directory', `${place} is not safe: ${complaint}. ${advice}`)
}

/**
 * Makes a directory with those above it that are missing, one by one: in /tmp, say, somebody else may be faster, and
 * make it a link.
 * @throws as refuseUnsafe(), and what mkdir() throws
 */
export async function makeSafeDirectory(directory: string, advice: string): Promise<void> {
  const above = path.dirname(directory)
  if (above !== directory) await makeSafeDirectory(above, advice)
  try {
    await mkdir(directory, { mode: 0o755 })
  } catch (error) {
    // '/' and file systems that can only be read: what is there already need not be made.
    if (!['EEXIST', 'EROFS'].includes(systemCode(error) ?? '')) throw error
  }
  await refuseUnsafe(directory, advice)
}
