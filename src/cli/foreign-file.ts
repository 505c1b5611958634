import { SshjobError } from '../core/errors.js'
import { whyUnsafe } from '../core/path-safety.js'

/**
 * Root neither reads, writes nor removes what another user could put something else in the place of: a link there
 * would have it done elsewhere. Any other user's files are for that user to choose.
 * @param file that an option names; undefined: none does
 * @throws SshjobError 'unsafe-directory'
 */
export async function refuseForeignFile(file: string | undefined): Promise<void> {
  if (file === undefined || process.geteuid?.() !== 0) return
  const complaint = await whyUnsafe(file)
  if (complaint === undefined) return
  throw new SshjobError('unsafe-directory', `As root, ${file} is not used: ${complaint}.`)
}
