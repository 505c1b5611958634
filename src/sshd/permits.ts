import { SshjobError } from '../core/errors.js'
import type { Permitted, PermittedPort } from '../permissions/permissions.js'
import { type Form, isPath, parsePermit } from '../permissions/permits.js'

/**
 * What PermitOpen and PermitListen say, which are about TCP.
 * @throws SshjobError 'usage' for an entry that is none
 */
export function readPermits(words: readonly string[] | undefined, form: Form): Permitted<PermittedPort> {
  if (words === undefined || words[0]?.toLowerCase() === 'any') return 'all'
  // Not 'none': forwarding is allowed, and leads nowhere.
  if (words[0]?.toLowerCase() === 'none') return []
  return words.map((word) => {
    const permit = parsePermit(word, form)
    if (isPath(permit)) throw new SshjobError('usage', `'${word}' is no host and port.`)
    return permit
  })
}

export function isPermit(word: string, form: Form): boolean {
  try {
    return readPermits([word], form) !== 'all' || word === 'any'
  } catch {
    return false // the sentence is the caller's: it knows where the word stands
  }
}
