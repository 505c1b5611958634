import { getEventListeners } from 'node:events'
import { Duplex } from 'node:stream'
import { SshjobError } from '../../../src/core/errors.js'
import { readLine, writeLine } from '../../../src/hello/line.js'
import { streamPair } from '../../../src/streams/memory.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { failOnUncaught } from '../../helpers/fail-on-uncaught.js'

failOnUncaught()

const EVENTS = ['data', 'readable', 'end', 'close', 'error', 'finish', 'drain']
/** Longer than any test. */
const timeoutMs = 600_000
const check = (): void => undefined

function listeners(stream: Duplex, signal?: AbortSignal): number[] {
  const onSignal = signal === undefined ? 0 : getEventListeners(signal, 'abort').length
  return [...EVENTS.map((event) => stream.listenerCount(event)), onSignal]
}

async function failure(promise: Promise<unknown>): Promise<SshjobError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof SshjobError)) throw new Error(`expected an SshjobError, got ${String(error)}`)
  return error
}

/** A stream that takes nothing. */
const stuck = (): Duplex => new Duplex({ read: () => undefined, write: () => undefined })

describe('a line that is read', () => {
  it('has its listeners until it is there, and then no more', async () => {
    const [peer, stream] = streamPair()
    const { signal } = new AbortController()
    const before = listeners(stream, signal)
    const line = readLine(stream, { timeoutMs, signal, check })
    expect(listeners(stream, signal)).not.toEqual(before)
    peer.write('one\ntwo')
    expect((await line).toString()).toBe('one')
    expect(listeners(stream, signal)).toEqual(before)
    const more = readLine(stream, { timeoutMs, signal, check })
    peer.write('\n')
    expect((await more).toString()).toBe('two')
    expect(listeners(stream, signal)).toEqual(before)
  })

  it('fails with the reason of an abort, and leaves no listener then either', async () => {
    const [, stream] = streamPair()
    const controller = new AbortController()
    const before = listeners(stream, controller.signal)
    const line = failure(readLine(stream, { timeoutMs, signal: controller.signal, check }))
    controller.abort(new SshjobError('job-ended', 'It is over.'))
    expect(await line).toMatchObject({ code: 'job-ended', message: 'It is over.' })
    expect(listeners(stream, controller.signal)).toEqual(before)
  })

  it.each(['ended', 'destroyed'])('is lost on a stream that is %s', async (how) => {
    const [peer, stream] = streamPair()
    if (how === 'ended') {
      peer.end()
      stream.resume()
      await turnOfEventLoop()
    } else stream.destroy()
    expect(await failure(readLine(stream, { timeoutMs, check }))).toMatchObject({
      code: 'connection-lost',
      message: 'The other side closed the connection before its hello was complete.',
    })
  })

  it('is lost where the stream is destroyed meanwhile', async () => {
    const [, stream] = streamPair()
    const line = failure(readLine(stream, { timeoutMs, check }))
    stream.destroy()
    expect(await line).toMatchObject({ code: 'connection-lost' })
  })

  it('is bytes', async () => {
    const stream = new Duplex({ objectMode: true, read: () => undefined, write: () => undefined })
    stream.push({ some: 'thing' })
    expect(await failure(readLine(stream, { timeoutMs, check }))).toMatchObject({
      code: 'hello-invalid',
      message: 'The stream gives something else than bytes.',
    })
  })

  it('fails with what its bytes were refused for, or with what reading them met', async () => {
    const [peer, stream] = streamPair()
    const refusal = new SshjobError('denied', 'Not this.')
    const refuse = (): void => {
      throw refusal
    }
    const refused = failure(readLine(stream, { timeoutMs, check: refuse }))
    peer.write('x')
    expect(await refused).toBe(refusal)
    const cause = new TypeError('of the reader')
    const fail = (): void => {
      throw cause
    }
    const failed = failure(readLine(stream, { timeoutMs, check: fail }))
    peer.write('x')
    expect(await failed).toMatchObject({
      code: 'connection-lost',
      message: 'The connection could not be read.',
      cause,
    })
  })
})

describe('a line that is written', () => {
  const line = Buffer.from('line\n')

  it('has its listeners until it is taken, and then no more', async () => {
    const [peer, stream] = streamPair()
    const { signal } = new AbortController()
    const before = listeners(stream, signal)
    const written = writeLine(stream, line, { timeoutMs, signal })
    expect(listeners(stream, signal)).not.toEqual(before)
    await written
    expect(listeners(stream, signal)).toEqual(before)
    expect(peer.read()).toEqual(line)
  })

  it('fails with what the stream fails with', async () => {
    const cause = new Error('broken')
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done(cause) })
    const before = listeners(stream)
    expect(await failure(writeLine(stream, line, { timeoutMs }))).toMatchObject({
      code: 'connection-lost',
      message: 'The connection failed during the hello: broken.',
      cause,
    })
    expect(listeners(stream)).toEqual(before)
  })

  it.each(['before', 'while'])('fails where the stream closes %s it is written', async (when) => {
    const stream = stuck()
    if (when === 'before') stream.destroy()
    const written = failure(writeLine(stream, line, { timeoutMs }))
    stream.destroy()
    expect(await written).toMatchObject({
      code: 'connection-lost',
      message: 'The connection was closed during the hello.',
    })
  })

  it.each(['before', 'while'])('fails with the reason of an abort %s it is written', async (when) => {
    const controller = new AbortController()
    const stream = stuck()
    const before = listeners(stream, controller.signal)
    const reason = new SshjobError('job-ended', 'It is over.')
    if (when === 'before') controller.abort(reason)
    const written = failure(writeLine(stream, line, { timeoutMs, signal: controller.signal }))
    controller.abort(reason)
    expect(await written).toMatchObject({ code: 'job-ended', message: 'It is over.' })
    expect(listeners(stream, controller.signal)).toEqual(before)
  })

  it('is not waited for longer than it may take', async () => {
    const stream = stuck()
    const before = listeners(stream)
    expect(await failure(writeLine(stream, line, { timeoutMs: 20 }))).toMatchObject({
      code: 'hello-timeout',
      message: 'The other side did not read our hello in 0.02 s.',
    })
    expect(listeners(stream)).toEqual(before)
  })
})
