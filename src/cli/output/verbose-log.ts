import type { Logger } from '../../core/log.js'
import { printable, say } from './report.js'

/** How much is said: 0 nothing, 1 what happens to the connection, 2 everything. */
export const MAX_VERBOSITY = 2

/** A logger on stderr whose verbosity can change while it is in use (-v, ~v, ~V). */
export interface VerboseLog {
  readonly log: Logger
  verbosity(): number
  change(by: number): void
}

export function createVerboseLog(verbosity: number): VerboseLog {
  const clamp = (level: number): number => Math.min(MAX_VERBOSITY, Math.max(0, level))
  let current = clamp(verbosity)
  const at = (needed: number, name: string) => (fields: object, message: string) => {
    if (current >= needed) say(printable(`${name}: ${message}${describe(fields)}`))
  }
  return {
    log: { debug: at(2, 'debug'), info: at(1, 'info'), warn: at(1, 'warning'), error: at(1, 'error') },
    verbosity: () => current,
    change: (by) => {
      current = clamp(current + by)
    },
  }
}

function describe(fields: object): string {
  const words = Object.entries(fields).map(([name, value]) => {
    const text = value instanceof Error ? (value.stack ?? value.message) : value
    return `${name}=${typeof text === 'string' ? text : JSON.stringify(text)}`
  })
  return words.length === 0 ? '' : ` (${words.join(' ')})`
}
