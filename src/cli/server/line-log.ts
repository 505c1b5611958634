import { messageOf, SshjobError, systemCode } from '../../core/errors.js'
import { formatMoment } from '../../core/format-time.js'
import type { Logger } from '../../core/log.js'
import { printable } from '../../core/printable.js'

/** From what is always said to what is said last, as pino has them. */
const LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']

/** Fields that say why: they are the end of the sentence. */
const REASONS = ['reason', 'err']

/**
 * A log for people, one line for each event: when, how bad, a sentence, and the rest as name=value. What clients and
 * jobs say in it drives no terminal.
 * @param level one of pino's names
 */
export function lineLog(level: string, write: (line: string) => void, now = (): Date => new Date()): Logger {
  const most = LEVELS.indexOf(level)
  const at =
    (name: string, called = name) =>
    (fields: object, message: string) => {
      if (LEVELS.indexOf(name) > most) return
      write(`${formatMoment(now())} sshjob-server ${called}: ${formatEvent(fields, message)}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn', 'warning'), error: at('error') }
}

/** 'session could not be started: no shell session=3' */
export function formatEvent(fields: object, message: string): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  const reasons = given.filter(([name]) => REASONS.includes(name)).map(([, value]) => sentenceOf(value))
  const others = given
    .filter(([name]) => !REASONS.includes(name))
    .map(([name, value]) => `${name}=${formatValue(value)}`)
  const places = given.flatMap(([, value]) => placeOf(value))
  return printable([[message, ...reasons].join(': '), ...others, ...places].join(' '))
}

const sentenceOf = (value: unknown): string => (typeof value === 'string' ? value : messageOf(value))

function formatValue(value: unknown): string {
  const text = value instanceof Error ? messageOf(value) : value
  if (typeof text === 'string') return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
  return JSON.stringify(text)
}

/** Of a mistake of ours, which has neither a code of ours nor the kernel's, where it was made. */
function placeOf(value: unknown): string[] {
  if (!(value instanceof Error) || value instanceof SshjobError || systemCode(value) !== undefined) return []
  const [, place] = /^\s+at (.+)$/m.exec(value.stack ?? '') ?? []
  return place === undefined ? [] : [`at=${JSON.stringify(place)}`]
}
