import { formatDuration } from '../../../src/core/format-time.js'

describe('a length of time', () => {
  it.each([
    [-5, '0s'],
    [999, '0s'],
    [42_000, '42s'],
    [60_000, '1m'],
    [430_000, '7m 10s'],
    [7_500_000, '2h 5m'],
    [86_400_000, '1d'],
    [273_600_000, '3d 4h'],
  ])('of %j ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
})
