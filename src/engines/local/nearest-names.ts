/** Names that somebody may have meant who wrote this one, nearest first: at most three. */
export function nearestNames(written: string, names: readonly string[]): string[] {
  const wanted = written.toLowerCase()
  return names
    .map((name) => ({ name, far: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, far }) => far <= tolerance(wanted) || name.toLowerCase().startsWith(`${wanted}-`))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ name }) => name)
}

/** With more slips than this, short names are others. */
function tolerance(word: string): number {
  return word.length < 4 ? 1 : 2
}

/** How many letters are wrong, missing, too many, or two that have changed places: optimal string alignment. */
function distance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], [...Array(b.length + 1).keys()]]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const fewest = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced)
      row.push(swapped ? Math.min(fewest, at(before, j - 2) + 1) : fewest)
    }
    ;[before, last] = [last, row]
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
