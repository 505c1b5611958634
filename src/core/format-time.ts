/** The time of day for people, in their zone: '2026-01-31 14:05'. */
export function formatTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`
}

/** The same to the second: '2026-01-31 14:05:09'. */
export function formatMoment(time: Date): string {
  return `${formatTime(time)}:${String(time.getSeconds()).padStart(2, '0')}`
}

const UNITS = [
  ['d', 86_400, 'h', 3_600],
  ['h', 3_600, 'm', 60],
  ['m', 60, 's', 1],
] as const

/** A length of time in its two largest units: '3d 4h', '2h 5m', '7m 10s', '42s'. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000))
  for (const [large, size, small, part] of UNITS) {
    if (seconds < size) continue
    const rest = Math.floor((seconds % size) / part)
    return `${Math.floor(seconds / size)}${large}${rest === 0 ? '' : ` ${rest}${small}`}`
  }
  return `${seconds}s`
}
