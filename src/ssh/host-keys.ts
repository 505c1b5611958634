import { hostKeyAlgorithms } from './algorithms.js'
import type { ParsedKey } from './keys.js'

/** A host key, and the name of one of the algorithms that it signs with. */
export interface HostKey {
  algorithm: string
  key: ParsedKey
}

/** A host key with all that it can sign with. */
export function hostKeysOf(key: ParsedKey): HostKey[] {
  return hostKeyAlgorithms(key.type).map((algorithm) => ({ algorithm, key }))
}

/** The names that host keys are offered by, each once, in their order. */
export function namesOf(hostKeys: readonly HostKey[]): string[] {
  return [...new Set(hostKeys.map(({ algorithm }) => algorithm))]
}

/** By name, as ssh2 wants them. Of two keys for one algorithm, the first: the last that goes in stays. */
export function byAlgorithm(hostKeys: readonly HostKey[]): Record<string, ParsedKey> {
  return Object.fromEntries([...hostKeys].reverse().map(({ algorithm, key }) => [algorithm, key]))
}
