/** The middle of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** The value that this many percent of the values don't exceed, interpolated between the two next to it. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const position = ((sorted.length - 1) * percent) / 100
  const below = sorted[Math.floor(position)]
  const above = sorted[Math.ceil(position)]
  if (below === undefined || above === undefined)
    throw new RangeError('There is nothing to take a median of.')
  return below + (above - below) * (position - Math.floor(position))
}
