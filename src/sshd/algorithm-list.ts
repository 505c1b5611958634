import { CIPHERS, KEX, MACS, SIGNATURE_ALGORITHMS } from '../ssh/algorithms.js'
import { matchesList, splitList } from './patterns.js'

const OURS = {
  Ciphers: CIPHERS,
  HostKeyAlgorithms: SIGNATURE_ALGORITHMS,
  KexAlgorithms: KEX,
  MACs: MACS,
  PubkeyAcceptedAlgorithms: SIGNATURE_ALGORITHMS,
} as const

/**
 * What of our algorithms a list of sshd_config(5) leaves: names and patterns in its own order; behind '+' besides ours
 * (all that we have are in the preset), behind '-' those that are taken away, behind '^' those that come first. Names
 * that we don't have are left out.
 */
export function chooseAlgorithms(name: keyof typeof OURS, text: string | undefined): readonly string[] {
  const ours: readonly string[] = OURS[name]
  if (text === undefined || text.startsWith('+')) return ours
  const sign = /^[-^]/.exec(text)?.[0]
  const patterns = splitList(sign === undefined ? text : text.slice(1))
  const named = patterns.flatMap((pattern) => ours.filter((one) => matchesList(one, [pattern]) === 'yes'))
  if (sign === '-') return ours.filter((one) => !named.includes(one))
  return [...new Set(sign === '^' ? [...named, ...ours] : named)]
}
