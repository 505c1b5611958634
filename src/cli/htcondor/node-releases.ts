/**
 * When the releases of Node.js get their last security updates, by their major version: schedule.json of
 * github.com/nodejs/Release. Of those that are not here, nothing is known.
 */
const LAST_UPDATES: Readonly<Record<string, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
}

/** The day of the last updates for a version such as 'v20.20.2', as in '2026-04-30'; undefined where it is not known. */
export function lastUpdates(version: string): string | undefined {
  return LAST_UPDATES[/^v(\d+)\./.exec(version)?.[1] ?? '']
}

/** Whether that day has passed. */
export function isWithoutUpdates(version: string, now = new Date()): boolean {
  const day = lastUpdates(version)
  return day !== undefined && now.toISOString().slice(0, 10) > day
}

/** Whether a version comes before another; false for what is none. */
export function isOlder(version: string, other: string): boolean {
  const [parts, others] = [version, other].map((text) =>
    /^v(\d+)\.(\d+)\.(\d+)$/.exec(text)?.slice(1).map(Number),
  )
  if (parts === undefined || others === undefined) return false
  const at = parts.findIndex((part, index) => part !== others[index])
  return at >= 0 && (parts[at] ?? 0) < (others[at] ?? 0)
}
