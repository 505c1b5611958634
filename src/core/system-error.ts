import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** strerror(3) of what libuv has no sentence for, and disks of clusters answer with. */
const SENTENCES: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  ENOLCK: 'no locks available',
  ESTALE: 'stale file handle',
}

/** The `code` of a Node.js error (ENOENT, ERR_INVALID_ARG_TYPE, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  // Not instanceof Error: under jest, Node.js' own errors are of another realm.
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  if (typeof error.code !== 'string') return undefined
  const [, unknown] = /^Unknown system error -(\d+)$/.exec(error.code) ?? [] // libuv's word for what it doesn't know
  return (unknown === undefined ? undefined : errnoName(Number(unknown))) ?? error.code
}

/** errno(3) by number. Two names of one number (EAGAIN, EWOULDBLOCK): the first. */
export function errnoName(number: number): string | undefined {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0]
}

/** The kernel's sentence for an error code: 'ENOENT' gives 'no such file or directory'. */
export function kernelSentence(code: string): string | undefined {
  const number = Object.entries(constants.errno).find(([name]) => name === code)?.[1]
  if (number === undefined) return undefined
  return SENTENCES[code] ?? getSystemErrorMap().get(-number)?.[1]
}

/** The same with the code behind it, by which it is looked up: 'no such file or directory (ENOENT)'. */
export function sentenceOfCode(code: string): string {
  const sentence = kernelSentence(code)
  return sentence === undefined ? code : `${sentence} (${code})`
}

/** The same for what was thrown; undefined for what is no system error. */
export function systemSentence(error: unknown): string | undefined {
  const code = systemCode(error)
  const sentence = code === undefined ? undefined : kernelSentence(code)
  return sentence === undefined ? undefined : `${sentence} (${code})`
}
