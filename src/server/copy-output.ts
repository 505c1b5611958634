import type { Readable, Writable } from 'node:stream'

/**
 * Copies until the source has ended and every byte has been let out, with back-pressure; the target stays open.
 * Resolves as well when either of the two is destroyed: there is nothing left to copy then. A source whose target is
 * gone stops, and loses nothing: it may be copied to another.
 */
export function copyOutput(source: Readable, target: Writable): Promise<void> {
  return new Promise((resolve) => {
    const finished = (): void => {
      // A write's callback comes after those before it: then everything has been let out.
      if (target.writable) target.write('', () => resolve())
      else resolve()
    }
    source.pipe(target, { end: false })
    source.once('end', finished)
    source.once('error', finished)
    source.once('close', finished)
    target.once('close', () => {
      source.unpipe(target)
      resolve()
    })
  })
}
