import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

/** Writes in pieces of odd sizes, waiting where the stream asks to. */
export async function writeInPieces(stream: Writable, data: Buffer): Promise<void> {
  for (let at = 0, step = 1; at < data.length; at += step, step = (step * 7 + 13) % 100_003) {
    if (!stream.write(data.subarray(at, at + step))) await once(stream, 'drain')
  }
}

export function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Reads to the end; rejects where the stream fails. */
export async function digest(stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('hex')
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Writes until the stream has taken nothing for many turns of the event loop; gives how much it took. */
export async function writeUntilStuck(stream: Writable, piece: Buffer, limit: number): Promise<number> {
  let taken = 0
  while (taken < limit) {
    let done = false
    stream.write(piece, () => {
      done = true
    })
    for (let turn = 0; !done && turn < 200; turn++) await turnOfEventLoop()
    if (!done) break
    taken += piece.length
  }
  return taken
}

/** After timers, I/O and immediates that are due. */
export function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Resolves when it holds, asking each turn of the event loop; the test's own deadline ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turnOfEventLoop()
}

/** Resolves when a number has not changed for many turns of the event loop. */
export async function untilSettled(value: () => number): Promise<number> {
  let last = value()
  for (let same = 0; same < 50; same++) {
    await turnOfEventLoop()
    if (value() === last) continue
    last = value()
    same = 0
  }
  return last
}
