/**
 * The first day on which a major version of Node.js gets no fixes any more, by the project's schedule:
 * https://github.com/nodejs/release#release-schedule.
 */
const END_OF_LIFE: Readonly<Record<number, string>> = {
  16: '2023-09-11',
  18: '2025-04-30',
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
}
const OLDEST = Math.min(...Object.keys(END_OF_LIFE).map(Number))

const numbersOf = (version: string): number[] => version.replace(/^v/, '').split('.').map(Number)

/** The day from which this version gets no fixes any more; undefined where it is not known. */
export function endOfFixes(version: string): string | undefined {
  const [major = 0] = numbersOf(version)
  return END_OF_LIFE[Math.max(major, OLDEST)]
}

/**
 * Since when this version of Node.js gets no fixes; undefined where it does, or nothing is known of it.
 * @param version '24.22.3', or with a v before it
 * @returns a day: '2026-04-30'; of what is older than all that is known here, the day of the oldest
 */
export function withoutFixesSince(version: string, now: Date): string | undefined {
  const end = endOfFixes(version)
  return end !== undefined && now >= new Date(end) ? end : undefined
}

/** Whether the first version of Node.js is older than the second. */
export function isOlder(version: string, other: string): boolean {
  const [mine, others] = [numbersOf(version), numbersOf(other)]
  const different = mine.findIndex((number, index) => number !== others[index])
  return different >= 0 && (mine[different] ?? 0) < (others[different] ?? 0)
}
