import { streamPair } from '../../../src/streams/memory.js'

describe('streamPair', () => {
  it('tells a writer that the other end is gone', async () => {
    const [a, b] = streamPair()
    const failed = new Promise((resolve) => a.once('error', resolve))
    b.destroy()
    await new Promise(setImmediate)
    a.write('x')
    await expect(failed).resolves.toMatchObject({ code: 'EPIPE', message: 'write EPIPE' })
  })

  it('tells a writer that waits as well', async () => {
    const [a, b] = streamPair()
    const failed = new Promise((resolve) => a.once('error', resolve))
    a.write(Buffer.alloc(100_000))
    a.write(Buffer.alloc(100_000))
    await new Promise(setImmediate)
    b.destroy()
    await expect(failed).resolves.toMatchObject({ code: 'EPIPE' })
  })

  it('never runs the reader inside of the writer', () => {
    const [a, b] = streamPair()
    let read = false
    b.on('data', () => {
      read = true
    })
    a.write('x')
    expect(read).toBe(false)
  })
})
