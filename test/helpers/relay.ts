import type { Duplex } from 'node:stream'

/**
 * Copies bytes between two streams, both ways, with back-pressure and half-close, until both are closed.
 * If one fails, the other still gets what had arrived before, and is closed then. Rejects with the first failure.
 */
export function relay(a: Duplex, b: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    let open = 2
    const watch = (stream: Duplex, other: Duplex): void => {
      stream.on('error', (error) => {
        failure ??= error
      })
      stream.once('close', () => {
        open -= 1
        if (open > 0) finish(other)
        else if (failure === undefined) resolve()
        else reject(failure)
      })
    }
    watch(a, b)
    watch(b, a)
    a.pipe(b)
    b.pipe(a)
  })
}

/** What the gone side had sent is let out; what this one still sends has nowhere to go. */
function finish(stream: Duplex): void {
  if (stream.destroyed) return
  stream.unpipe()
  stream.resume()
  if (stream.writableFinished) stream.destroy()
  else stream.end(() => stream.destroy())
}
