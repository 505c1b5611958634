import { matchesList, splitList } from '../core/patterns.js'
import { CIPHERS, KEX, MACS, SIGNATURE_ALGORITHMS } from '../ssh/algorithms.js'

const OURS = {
  Ciphers: CIPHERS,
  HostKeyAlgorithms: SIGNATURE_ALGORITHMS,
  KexAlgorithms: KEX,
  MACs: MACS,
  PubkeyAcceptedAlgorithms: SIGNATURE_ALGORITHMS,
} as const

/** SHA-1: for those alone who name it, because there are clients that have nothing better. */
const ONLY_BY_NAME: readonly string[] = ['ssh-rsa']

type AlgorithmList = keyof typeof OURS

/** Whether a keyword of sshd_config(5) is about algorithms. */
export function isAlgorithmList(keyword: string): keyword is AlgorithmList {
  return Object.hasOwn(OURS, keyword)
}

/**
 * What of our algorithms a list of sshd_config(5) leaves: names and patterns in its own order; behind '+' those that
 * are added, behind '-' those that are taken away, behind '^' those that come first. Names that we don't have are left
 * out.
 */
export function chooseAlgorithms(name: AlgorithmList, text: string | undefined): readonly string[] {
  const ours: readonly string[] = OURS[name]
  if (text === undefined) return ours
  const sign = /^[-^+]/.exec(text)?.[0]
  const patterns = splitList(sign === undefined ? text : text.slice(1))
  const old = ours === SIGNATURE_ALGORITHMS ? ONLY_BY_NAME : []
  const named = patterns.flatMap((pattern) => [
    ...ours.filter((one) => matchesList(one, [pattern]) === 'yes'),
    ...old.filter((one) => one === pattern),
  ])
  if (sign === '+') return [...new Set([...ours, ...named])]
  if (sign === '-') return ours.filter((one) => !named.includes(one))
  return [...new Set(sign === '^' ? [...named, ...ours] : named)]
}
