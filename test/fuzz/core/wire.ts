import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { streamPair } from '../../../src/streams/memory.js'

/** A connection between one of ours and an adversary, who has a hand in the bytes below SSH as well. */
export interface Wire {
  readonly ours: Duplex
  readonly theirs: Duplex
  /** Changes one byte of what the adversary sends next, so far behind its beginning. */
  flip(at: number): void
  /** From now on what the adversary sends arrives in pieces of so many bytes. */
  cutInto(bytes: number): void
  /** Sends bytes of the adversary's past its own end of SSH. */
  inject(bytes: Buffer): void
  destroy(): void
}

export function memoryWire(): Wire {
  return wireOver(streamPair())
}

/** For wires of real sockets, on which ours lends its buffers to the kernel, and decrypts in place. */
export async function socketWires(
  directory: string,
): Promise<{ open(): Promise<Wire>; close(): Promise<void> }> {
  const server = net.createServer({ allowHalfOpen: true })
  server.listen(join(directory, 'wire'))
  await once(server, 'listening')
  return {
    async open() {
      const accepted = once(server, 'connection')
      const theirs = net.connect({ path: join(directory, 'wire'), allowHalfOpen: true })
      const [ours] = await accepted
      return wireOver([ours, theirs])
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function wireOver([ours, far]: [Duplex, Duplex]): Wire {
  const [theirs, near] = streamPair()
  let flipAt: number | undefined
  let size = Number.POSITIVE_INFINITY
  const send = (chunk: Buffer): void => {
    if (!far.writable) return
    if (flipAt !== undefined && chunk.length > 0) {
      const place = flipAt % chunk.length
      chunk[place] = (chunk[place] ?? 0) ^ 0x40
      flipAt = undefined
    }
    for (let at = 0; at < chunk.length; at += size) far.write(chunk.subarray(at, at + size))
  }
  near.on('data', (chunk: Buffer) => send(Buffer.from(chunk)))
  far.on('data', (chunk: Buffer) => {
    if (!near.writable || near.write(chunk)) return
    far.pause()
    near.once('drain', () => far.resume())
  })
  follow(near, far)
  follow(far, near)
  for (const stream of [ours, theirs]) stream.on('error', () => undefined)
  return {
    ours,
    theirs,
    flip(at) {
      flipAt = at
    },
    cutInto(bytes) {
      size = Math.max(1, bytes)
    },
    inject: (bytes) => send(Buffer.from(bytes)),
    destroy() {
      for (const stream of [ours, far, near, theirs]) stream.destroy()
    },
  }
}

/** The end of one is the end of the other; so is its disappearance. */
function follow(from: Duplex, to: Duplex): void {
  from.on('error', () => undefined)
  from.on('end', () => to.end())
  from.on('close', () => {
    if (!from.readableEnded) to.destroy()
  })
}
