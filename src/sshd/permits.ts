import { SshjobError } from '../core/errors.js'
import { parsePermit } from '../server/forwarding/policy.js'

/** Places that may be connected to, or listened on; hosts are patterns. */
export type Permits = readonly { host: string; port: number | '*' }[]

/** The forms of PermitOpen and PermitListen. */
export const OPEN = 'HOST:PORT'
export const LISTEN = 'PORT or HOST:PORT'

/** Undefined permits everything. @throws SshjobError 'usage' for an entry that is none */
export function readPermits(
  words: readonly string[] | undefined,
  form: typeof OPEN | typeof LISTEN,
): Permits | undefined {
  if (words === undefined || words[0]?.toLowerCase() === 'any') return undefined
  if (words[0]?.toLowerCase() === 'none') return []
  return words.map((word) => {
    const permit = parsePermit(word, form)
    if ('path' in permit) throw new SshjobError('usage', `'${word}' is no host and port.`)
    return permit
  })
}

export function isPermit(word: string, form: typeof OPEN | typeof LISTEN): boolean {
  try {
    return readPermits([word], form) !== undefined || word === 'any'
  } catch {
    return false // the sentence is the caller's: it knows where the word stands
  }
}
