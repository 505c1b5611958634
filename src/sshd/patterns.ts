import { BlockList, isIP } from 'node:net'
import { matchesPattern } from '../core/patterns.js'

/** 'ADDRESS/BITS', as numbers; 'invalid' where bits behind the mask are set, as sshd has it; undefined: no network. */
export function parseNetwork(pattern: string): { address: string; bits: number } | 'invalid' | undefined {
  const slash = pattern.lastIndexOf('/')
  if (slash < 0) return undefined
  const address = pattern.slice(0, slash)
  const family = isIP(address)
  const bits = /^\d{1,3}$/.test(pattern.slice(slash + 1)) ? Number(pattern.slice(slash + 1)) : -1
  if (family === 0) return undefined
  if (bits < 0 || bits > (family === 4 ? 32 : 128)) return 'invalid'
  const digits = toBits(address, family)
  return digits.slice(bits).includes('1') ? 'invalid' : { address, bits }
}

/** One that can't be judged would exclude nobody where it is negated. */
export function hasInvalidNetwork(patterns: readonly string[]): boolean {
  return patterns.some((pattern) => parseNetwork(pattern.replace(/^!/, '')) === 'invalid')
}

function toBits(address: string, family: number): string {
  if (family === 4)
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
  const dotted = /^(?<head>.*:)(?<four>\d+\.\d+\.\d+\.\d+)$/.exec(address)?.groups
  const four = dotted?.four && toBits(dotted.four, 4)
  const tail = four
    ? [four.slice(0, 16), four.slice(16)].map((part) => Number.parseInt(part, 2).toString(16))
    : []
  const text = dotted ? `${dotted.head}${tail.join(':')}` : address.replace(/%.*$/, '')
  const [left = '', right] = text.split('::')
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const [before, after] = [groupsOf(left), groupsOf(right ?? '')]
  const zeros = right === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
  return groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
}

/** An address against a pattern of addresses: a network, an address, or one with wildcards. */
export function matchesAddress(address: string, pattern: string): boolean {
  const family = isIP(address)
  const network = parseNetwork(pattern)
  if (network === 'invalid') return false
  if (network !== undefined) {
    if (family === 0 || family !== isIP(network.address)) return false
    return checkIn(address, family, network.address, network.bits)
  }
  if (family !== 0 && family === isIP(pattern))
    return checkIn(address, family, pattern, family === 4 ? 32 : 128)
  return matchesPattern(address.toLowerCase(), pattern.toLowerCase())
}

function checkIn(address: string, family: number, network: string, bits: number): boolean {
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(network, bits, type)
  return list.check(address, type)
}
