import { once } from 'node:events'
import { streamPair } from '../../../src/streams/memory.js'
import { relay } from '../../../src/streams/relay.js'
import { readAll } from '../../compliance/stream-behaviours.js'

describe('relay', () => {
  it('copies both ways, half-close included, until both have ended', async () => {
    const [a, left] = streamPair()
    const [right, b] = streamPair()
    const over = relay(left, right)
    a.end('one way')
    await expect(readAll(b)).resolves.toEqual(Buffer.from('one way'))
    b.end('and back')
    await expect(readAll(a)).resolves.toEqual(Buffer.from('and back'))
    await over
  })

  it('lets out what had arrived from a side that fails, and tells the failure', async () => {
    const [a, left] = streamPair()
    const [right, b] = streamPair()
    a.on('error', () => undefined)
    const over = relay(left, right)
    const failed = expect(over).rejects.toThrow('reset')
    // More than fits into the buffers: b has not read it when the other side fails.
    const bytes = Buffer.alloc(100_000, 'x')
    a.write(bytes)
    while (left.readableLength > 0 || a.writableLength > 0) await new Promise(setImmediate)
    left.destroy(new Error('reset'))
    await expect(readAll(b)).resolves.toEqual(bytes)
    b.destroy()
    await failed
  })

  it('closes the other side of one that is closed', async () => {
    const [a, left] = streamPair()
    const [right, b] = streamPair()
    const over = relay(left, right)
    b.resume()
    a.destroy()
    left.destroy()
    await once(b, 'end')
    b.destroy()
    await over
    expect(right.destroyed).toBe(true)
  })
})
