/** sshd(8) expiry-time: YYYYMMDD or YYYYMMDDHHMM[SS], local time, or UTC behind a Z. Milliseconds since the epoch. */
export function parseExpiry(text: string): number | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/i.exec(text)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined
  const parts = [year, month - 1, day, hour, minute, second] as const
  const time = found[7] === '' ? new Date(...parts).getTime() : Date.UTC(...parts)
  // The 31st of a month that has 30 days would be the next month's first.
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return day > daysInMonth || Number.isNaN(time) ? undefined : time
}
