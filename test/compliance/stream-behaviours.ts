import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'

const MIB = 1024 * 1024
const LARGE = 100 * MIB
/** More than the kernel and all the buffers on any way hold. */
const BUFFERED_AT_MOST = 16 * MIB
/** No progress for so long, and the writer is taken to be held back. */
const QUIET_MS = 300

export interface StreamBehaviours {
  /** Bytes of the large transfer: fewer where every byte costs. Default: 100 MiB. */
  large?: number
}

/** What every stream of this project must do. `makePair` gives its two ends, connected. */
export function describeStream(
  name: string,
  makePair: () => Promise<[Duplex, Duplex]>,
  { large = LARGE }: StreamBehaviours = {},
): void {
  describe(name, () => {
    let a: Duplex
    let b: Duplex

    beforeEach(async () => {
      ;[a, b] = await makePair()
      for (const end of [a, b]) end.on('error', () => undefined)
    })

    afterEach(async () => {
      const ends = [a, b].filter((end) => !end.closed).map((end) => once(end, 'close'))
      a.destroy()
      b.destroy()
      await Promise.all(ends)
    })

    it('carries bytes both ways at once', async () => {
      a.end('to b')
      b.end('to a')
      await expect(Promise.all([readAll(a), readAll(b)])).resolves.toEqual([
        Buffer.from('to a'),
        Buffer.from('to b'),
      ])
    })

    it('can be ended on one side while the other still writes', async () => {
      a.end('question')
      expect(await readAll(b)).toEqual(Buffer.from('question'))
      expect(b.writable).toBe(true)
      b.write('first, ')
      await new Promise(setImmediate)
      b.end('and last')
      expect(await readAll(a)).toEqual(Buffer.from('first, and last'))
    })

    it('can be ended on the other side while the one still writes', async () => {
      b.end('question')
      expect(await readAll(a)).toEqual(Buffer.from('question'))
      a.write('first, ')
      await new Promise(setImmediate)
      a.end('and last')
      expect(await readAll(b)).toEqual(Buffer.from('first, and last'))
    })

    it('closes by itself once both sides have ended', async () => {
      const closed = [once(a, 'close'), once(b, 'close')]
      a.end()
      b.end()
      a.resume()
      b.resume()
      await Promise.all(closed)
    })

    it.each([0, 1, 65_535, 65_536, 65_537, 200_001])('ends exactly at byte %i', async (length) => {
      const bytes = pattern(length)
      a.end(bytes)
      expect((await readAll(b)).equals(bytes)).toBe(true)
    })

    it('brings a large amount unchanged, in chunks of all sizes', async () => {
      const sent = createHash('sha256')
      const received = createHash('sha256')
      let length = 0
      b.on('data', (chunk: Buffer) => {
        received.update(chunk)
        length += chunk.length
      })
      const ended = once(b, 'end')
      const block = pattern(MIB)
      for (
        let left = large, size = 1;
        left > 0;
        left -= size, size = Math.min(left, (size * 7) % 99_991, MIB)
      ) {
        const chunk = block.subarray(0, Math.max(1, size))
        size = chunk.length
        sent.update(chunk)
        if (!a.write(chunk)) await once(a, 'drain')
      }
      a.end()
      await ended
      expect(length).toBe(large)
      expect(received.digest('hex')).toBe(sent.digest('hex'))
    }, 120_000)

    it('holds the writer back while nobody reads, and loses nothing then', async () => {
      const block = pattern(64 * 1024)
      let accepted = 0
      let taken = 0
      const write = (): void => {
        if (accepted >= 4 * BUFFERED_AT_MOST) return
        accepted += block.length
        a.write(block, (error) => {
          if (error) return
          taken += block.length
          write()
        })
      }
      write()
      for (let before = -1; before !== taken; ) {
        before = taken
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
      }
      expect(taken).toBeLessThan(BUFFERED_AT_MOST)
      const total = accepted
      accepted = Number.POSITIVE_INFINITY
      a.end()
      const bytes = await readAll(b)
      expect(bytes.length).toBe(total)
      expect(bytes.subarray(-block.length).equals(block)).toBe(true)
    })

    it.each([
      ['one', 'other', true],
      ['other', 'one', false],
    ])('lets the %s side break off, which ends the %s', async (_one, _other, first) => {
      const [gone, left] = first ? [a, b] : [b, a]
      left.resume()
      const over = new Promise<void>((resolve) => {
        left.once('end', resolve).once('close', resolve)
      })
      gone.destroy()
      await over
      // Whoever still writes is told, sooner or later.
      const failed = new Promise<void>((resolve) => {
        const write = (): void => {
          if (left.destroyed) resolve()
          else left.write('x', (error) => (error ? resolve() : setImmediate(write)))
        }
        write()
      })
      await failed
    })

    it('gives what arrived before the other side broke off', async () => {
      await new Promise((resolve) => a.write('last words', resolve))
      const chunk = await new Promise<Buffer>((resolve) => b.once('data', resolve))
      a.destroy()
      expect(chunk).toEqual(Buffer.from('last words'))
    })

    it('may be destroyed twice, and with an error that it then tells', async () => {
      const error = new Error('because')
      const told = new Promise((resolve) => a.once('error', resolve))
      const closed = once(a, 'close').catch(() => undefined)
      a.destroy(error)
      a.destroy()
      expect(await told).toBe(error)
      await closed
      expect(a.destroyed).toBe(true)
    })

    it('keeps its bytes apart from those of whoever reads and changes them', async () => {
      const bytes = pattern(1_000)
      const copy = Buffer.from(bytes)
      b.on('data', (chunk: Buffer) => chunk.fill(0))
      a.write(bytes)
      a.end()
      await once(b, 'end')
      expect(bytes.equals(copy)).toBe(true)
    })
  })
}

export async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks)
}

function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff
  return bytes
}
