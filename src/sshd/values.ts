/** sshd_config(5) TIME FORMATS: '90', '1h30m', in seconds; undefined where it is none. */
export function parseTime(text: string): number | undefined {
  const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }
  if (!/^(\d+[smhdw]?)+$/i.test(text)) return undefined
  let seconds = 0
  for (const [, digits = '', unit = ''] of text.matchAll(/(\d+)([smhdw]?)/gi)) {
    seconds += Number(digits) * (UNITS[unit.toLowerCase()] ?? 0)
  }
  return seconds <= SECONDS_MAX ? seconds : undefined
}

/** As sshd has it, whose times are of the type int. */
const SECONDS_MAX = 2 ** 31 - 1
/** Timers of Node.js take this much, and fire at once beyond. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** Seconds as a time for a timer; more than three weeks are as good as for ever. */
export function toMilliseconds(seconds: number): number {
  return Math.min(seconds * 1000, TIMER_MAX_MS)
}

/** A size with K, M or G behind it, in bytes; undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const found = /^(?<digits>\d{1,15})(?<unit>[kmg]?)$/i.exec(text)?.groups
  if (found === undefined) return undefined
  const power = { '': 0, k: 1, m: 2, g: 3 }[found.unit?.toLowerCase() ?? ''] ?? 0
  const bytes = Number(found.digits) * 1024 ** power
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** 'yes', 'true', 'no', 'false' as 'yes' and 'no'. */
export function parseFlag(text: string): 'yes' | 'no' | undefined {
  const lower = text.toLowerCase()
  if (lower === 'yes' || lower === 'true') return 'yes'
  return lower === 'no' || lower === 'false' ? 'no' : undefined
}
