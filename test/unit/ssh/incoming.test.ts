import { randomBytes } from 'node:crypto'
import { SshjobError } from '../../../src/core/errors.js'
import { Incoming } from '../../../src/ssh/incoming.js'
import { readAll, sha256, turnOfEventLoop } from '../../helpers/bytes.js'
import { memoryInUse } from '../../helpers/memory-in-use.js'

const nothing = (): void => undefined

describe('what a peer sends on a channel', () => {
  it('costs hardly more memory than its bytes, also when it comes in packets of one byte', () => {
    const incoming = new Incoming(nothing)
    const before = memoryInUse()
    // Each packet is a slice of the chunk that the network delivered.
    for (let i = 0; i < 2 ** 18; i++) incoming.receive(Buffer.allocUnsafeSlow(64).subarray(8, 9))
    expect(memoryInUse() - before).toBeLessThan(4 * 2 ** 20)
    expect(incoming.unread).toBe(2 ** 18)
  })

  it('comes out as it came in, whatever the sizes of the pieces', async () => {
    const incoming = new Incoming(nothing)
    const data = randomBytes(1_000_000)
    const read = readAll(incoming)
    for (let at = 0, size = 1; at < data.length; at += size, size = (size * 31 + 7) % 90_001) {
      incoming.receive(data.subarray(at, at + size))
      if (size % 3 === 0) await turnOfEventLoop()
    }
    incoming.finish()
    expect(sha256(await read)).toBe(sha256(data))
    expect(incoming.unread).toBe(0)
  })

  it('ends with its end, also when nothing ever came', async () => {
    const incoming = new Incoming(nothing)
    incoming.finish()
    expect((await readAll(incoming)).length).toBe(0)
  })

  it('is delivered before the failure that followed it', async () => {
    const incoming = new Incoming(nothing)
    const chunks: Buffer[] = []
    for (let i = 0; i < 100; i++) incoming.receive(Buffer.alloc(10_000))
    incoming.finish(new SshjobError('connection-lost', 'gone'))
    const reading = (async () => {
      for await (const chunk of incoming) chunks.push(chunk)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'connection-lost' })
    expect(Buffer.concat(chunks).length).toBe(1_000_000)
  })

  it('is delivered to a listener before the failure, also when it had been handed over already', async () => {
    const incoming = new Incoming(nothing)
    incoming.read(0)
    incoming.receive(Buffer.from('the last words'))
    incoming.finish(new SshjobError('connection-lost', 'gone'))
    const heard: string[] = []
    incoming.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
    incoming.on('error', (error) => heard.push(error.message))
    await new Promise((resolve) => incoming.once('close', resolve))
    expect(heard).toEqual(['the last words', 'gone'])
  })

  it('does not run in circles while a failure waits behind what nobody reads', async () => {
    let asked = 0
    const incoming = new Incoming(() => {
      asked++
    })
    incoming.receive(Buffer.alloc(10))
    incoming.finish(new SshjobError('connection-lost', 'gone'))
    for (let i = 0; i < 100; i++) await turnOfEventLoop()
    expect(asked).toBeLessThan(5)
    expect(incoming.destroyed).toBe(false)
  })
})
