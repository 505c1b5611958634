import { closeGently } from '../../../src/core/close-gently.js'
import { streamPair } from '../../../src/streams/memory.js'
import { failOnUncaught } from '../../helpers/fail-on-uncaught.js'

failOnUncaught()

const LAST = Buffer.from('last words')

describe('closing gently', () => {
  it('sends what was written, and the last words, and reads what nobody wants until the other side ends', async () => {
    const [near, far] = streamPair()
    far.write('unread')
    near.write('first, ')
    const closed = closeGently(near, LAST)
    const heard: Buffer[] = []
    for await (const chunk of far) heard.push(chunk)
    expect(Buffer.concat(heard).toString()).toBe('first, last words')
    expect(near.destroyed).toBe(false)
    far.end()
    await closed
    expect(near.destroyed).toBe(true)
  })

  it('closes a stream whose other side never ends', async () => {
    const [near, far] = streamPair()
    far.on('error', () => undefined)
    await closeGently(near)
    expect(near.destroyed).toBe(true)
  })

  it('takes a stream that has ended, failed or gone, and says nothing more on it', async () => {
    const [ended, itsPeer] = streamPair()
    ended.end()
    itsPeer.end()
    await closeGently(ended, LAST)
    const [failed] = streamPair()
    failed.on('error', () => undefined).destroy(new Error('lost'))
    await closeGently(failed, LAST)
    await closeGently(failed, LAST)
    expect(failed.closed).toBe(true)
  })
})
