/** Puts in the place of each mark what it stands for, which has as many bytes: scripts are written before it is known. */
export function filler(
  marks: readonly (readonly [mark: Buffer, meant: Buffer])[],
): (bytes: Buffer) => Buffer {
  for (const [mark, meant] of marks)
    if (mark.length !== meant.length) throw new RangeError(`not as long as ${mark}`)
  return (bytes) => {
    const filled = Buffer.from(bytes)
    for (const [mark, meant] of marks) {
      for (let at = filled.indexOf(mark); at >= 0; at = filled.indexOf(mark, at + mark.length))
        meant.copy(filled, at)
    }
    return filled
  }
}

/** Stands in scripts for the directory of the target, with a slash at its end. */
export const DIRECTORY = `${'<directory>'.padEnd(50, '.')}/`

/** A path may have any number of slashes in a row. */
export const directoryMark = (directory: string): readonly [Buffer, Buffer] => [
  Buffer.from(DIRECTORY),
  Buffer.from(directory.padEnd(DIRECTORY.length, '/')),
]
