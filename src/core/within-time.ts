const LATE = Symbol('late')

/**
 * What the work comes to, or, if it takes longer, what `late` gives or throws. The work itself goes on then, and how it
 * ends interests nobody here.
 * @param milliseconds at most 2^31 - 1, as for setTimeout()
 */
export async function withinTime<T, L>(
  work: Promise<T>,
  milliseconds: number,
  late: () => L,
): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<typeof LATE>((resolve) => {
    // On a busy machine the answer may be there already, and it is only us who have not been there to see it.
    timer = setTimeout(() => setImmediate(resolve, LATE), milliseconds)
  })
  try {
    const outcome = await Promise.race([work, over])
    return outcome === LATE ? late() : outcome
  } finally {
    clearTimeout(timer)
  }
}

/** For `late`, where it is enough not to wait any longer. */
export const waitNoLonger = (): undefined => undefined
