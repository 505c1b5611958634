import { readdirSync } from 'node:fs'
import { parseEnvironment, readEnvironment } from '../../job/environment.js'

/** Set by wrapper.sh where it does not stay: the bytes of its environment, in hexadecimal digits. */
const ENVIRONMENT = 'SSHJOB_ENVIRONMENT'
/** And the numbers of descriptors that it was started with. */
const DESCRIPTORS = 'SSHJOB_DESCRIPTORS'

/**
 * The environment that the program was started with, where a shell stood in between, which drops what no shell can
 * export and keeps from us what is meant for others; else our own.
 */
export function startEnvironment(): Map<string, Buffer> {
  const text = take(ENVIRONMENT)
  if (text === undefined) return readEnvironment()
  return parseEnvironment(Buffer.from(text.replaceAll(/\s+/g, ''), 'hex'))
}

/** Descriptors besides stdin, stdout and stderr that the program was started with, as far as a shell has said so. */
export function startDescriptors(): number[] {
  const named = (take(DESCRIPTORS) ?? '').split(' ').filter(Boolean)
  if (named.length === 0) return []
  const open = listOpen()
  return named.filter((text) => open.includes(text)).map(Number)
}

function take(name: string): string | undefined {
  const text = process.env[name]
  delete process.env[name]
  return text
}

function listOpen(): string[] {
  try {
    return readdirSync('/proc/self/fd')
  } catch {
    return [] // without /proc nobody knows
  }
}
