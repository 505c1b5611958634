import { formatBytes, formatProgress, formatSeconds } from '../../../../src/cli/copy/progress.js'

describe('the progress line', () => {
  const half = { done: 512 * 1024, total: 1024 * 1024, elapsedMs: 2_000, start: 0, name: 'data' }

  it('has bar, share, bytes, rate, time left and name', () => {
    expect(formatProgress(half, 200)).toBe(
      '[==========          ]   50%  512 KiB of 1.0 MiB  256 KiB/s  0:02 left  data',
    )
  })

  it('says at the end how long it took', () => {
    expect(formatProgress({ ...half, done: half.total }, 200)).toContain(
      '100%  1.0 MiB of 1.0 MiB  512 KiB/s  in 0:02  data',
    )
  })

  it('does not count what was there before into the rate', () => {
    expect(formatProgress({ ...half, start: half.done }, 200)).toContain('0 B/s  -:-- left')
  })

  it('is no wider than the terminal, and shows no control characters of a name', () => {
    expect(formatProgress(half, 40)).toHaveLength(39)
    expect(formatProgress({ ...half, name: '\x1b[2J' }, 200)).toContain('?[2J')
  })

  it('has units and times for people', () => {
    expect([0, 999, 1000, 1024, 102_400, 1e9].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 KiB',
      '1.0 KiB',
      '100 KiB',
      '954 MiB',
    ])
    expect([0, 61, 3_723].map(formatSeconds)).toEqual(['0:00', '1:01', '1:02:03'])
  })
})
