import { connect } from '../../../src/client/connect.js'
import { SshjobError } from '../../../src/core/errors.js'
import { answerHello, receiveClientHello, refuseHello } from '../../../src/hello/exchange.js'
import { generateKey } from '../../../src/ssh/keys.js'
import { describeJob } from '../../../src/starter/describe-job.js'
import { serve } from '../../../src/starter/serve.js'
import { streamPair } from '../../../src/streams/memory.js'
import { echo, idle, memoryJob } from '../../helpers/memory-job.js'
import { sessionKeys } from '../../helpers/raw-peer.js'
import { sessionPair } from '../../helpers/session-pair.js'

describe('connect', () => {
  it('tells what the server said of the job', async () => {
    const pair = await sessionPair({ job: memoryJob(idle) })
    expect(pair.client.job).toEqual(describeJob(pair.job))
    await pair.close()
    expect(await pair.client.closed).toBeUndefined()
  })

  it('works with keys that were exchanged elsewhere, without a hello', async () => {
    const keys = sessionKeys()
    const pair = await sessionPair({
      job: memoryJob(echo),
      serve: { credentials: keys.server },
      connect: { credentials: keys.client },
    })
    expect(pair.client.job).toBeUndefined()
    await pair.client.ping()
    await pair.close()
  })

  it('names its key anew each time', async () => {
    const names = new Set<string | undefined>()
    for (let i = 0; i < 2; i++) {
      const [serverStream, clientStream] = streamPair()
      const connecting = connect(clientStream)
      names.add((await receiveClientHello(serverStream)).publicKey)
      serverStream.destroy()
      await expect(connecting).rejects.toMatchObject({ code: 'connection-lost' })
    }
    expect(names.size).toBe(2)
  })

  it('refuses a server whose host key is not the one in its hello, before it says who it is', async () => {
    const [serverStream, clientStream] = streamPair()
    const connecting = connect(clientStream)
    const { publicKey = '' } = await receiveClientHello(serverStream)
    const announced = generateKey().publicKey
    await answerHello(serverStream, { ok: true, hostKey: announced, job: describeJob(memoryJob(idle)) })
    const credentials = { hostPrivateKey: generateKey().privateKey, clientPublicKey: publicKey }
    const served = serve(serverStream, memoryJob(idle), { credentials })
    await expect(connecting).rejects.toMatchObject({ code: 'host-key-mismatch' })
    await served.closed
    expect(served.authenticated).toBe(false)
    expect(clientStream.destroyed).toBe(true)
  })

  it('hands on what a server refuses with', async () => {
    const [serverStream, clientStream] = streamPair()
    const connecting = connect(clientStream)
    await receiveClientHello(serverStream)
    void refuseHello(
      serverStream,
      new SshjobError('job-not-started', 'It waits in the queue.', { retry: true }),
    )
    await expect(connecting).rejects.toMatchObject({
      code: 'job-not-started',
      message: 'It waits in the queue.',
      retry: true,
    })
  })

  it.each([undefined, 'ssh-ed25519 AAAA'])('refuses a server that names the host key %p', async (hostKey) => {
    const [serverStream, clientStream] = streamPair()
    const connecting = connect(clientStream)
    await receiveClientHello(serverStream)
    const job = describeJob(memoryJob(idle))
    await answerHello(serverStream, { ok: true, job, ...(hostKey === undefined ? {} : { hostKey }) })
    await expect(connecting).rejects.toMatchObject({ code: 'hello-invalid' })
    expect(clientStream.destroyed).toBe(true)
  })

  it('refuses keys that are none, and says so', async () => {
    const [, clientStream] = streamPair()
    const credentials = { privateKey: 'nonsense', hostKey: 'nonsense' }
    await expect(connect(clientStream, { credentials })).rejects.toMatchObject({ code: 'usage' })
    expect(clientStream.destroyed).toBe(true)
  })

  it('fails where the server speaks garbage instead of SSH', async () => {
    const [serverStream, clientStream] = streamPair()
    const keys = sessionKeys()
    const connecting = connect(clientStream, { credentials: keys.client })
    serverStream.resume()
    serverStream.write(`SSH-2.0-x\r\n${'\xff'.repeat(100_000)}`)
    await expect(connecting).rejects.toMatchObject({ code: 'protocol-error' })
  })

  it('can be aborted before, while it waits for the hello, and while it waits for SSH', async () => {
    const [, first] = streamPair()
    await expect(connect(first, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })

    for (const credentials of [undefined, sessionKeys().client]) {
      const abort = new AbortController()
      const [, stream] = streamPair()
      const options = credentials === undefined ? {} : { credentials }
      const connecting = connect(stream, { signal: abort.signal, ...options })
      setImmediate(() => abort.abort())
      await expect(connecting).rejects.toMatchObject({
        code: 'aborted',
        message: 'The operation was aborted.',
      })
      expect(stream.destroyed).toBe(true)
    }
  })

  it('can be aborted later: that closes the connection, and is its cause', async () => {
    const abort = new AbortController()
    const job = memoryJob(idle)
    const pair = await sessionPair({ job, connect: { signal: abort.signal } })
    const remote = await pair.client.exec('sleep')
    abort.abort()
    expect(await pair.client.closed).toMatchObject({ code: 'aborted' })
    await expect(remote.ended).rejects.toMatchObject({ code: 'aborted' })
    await pair.served.closed
    expect(job.processes[0]?.terminated).toBe(true)
  })

  it('gives the first cause of the end, whatever comes later', async () => {
    const pair = await sessionPair({ job: memoryJob(idle) })
    pair.serverStream.destroy()
    expect(await pair.client.closed).toMatchObject({ code: 'connection-lost' })
    await pair.client.close()
    expect(await pair.client.closed).toMatchObject({ code: 'connection-lost' })
    await expect(pair.client.exec('x')).rejects.toMatchObject({ code: 'connection-lost' })
    await expect(pair.client.ping()).rejects.toMatchObject({ code: 'connection-lost' })
  })

  it('is closed by `await using`', async () => {
    const pair = await sessionPair({ job: memoryJob(idle) })
    {
      await using client = pair.client
      await client.ping()
    }
    expect(await pair.client.closed).toBeUndefined()
    await pair.served.closed
  })

  it('works twenty times at once', async () => {
    const pairs = await Promise.all(Array.from({ length: 20 }, () => sessionPair({ job: memoryJob(echo) })))
    const outputs = await Promise.all(
      pairs.map(async ({ client }, i) => {
        const remote = await client.exec('cat', { stdin: `input ${i}` })
        return (await remote.output()).stdout.toString()
      }),
    )
    expect(outputs).toEqual(pairs.map((_pair, i) => `input ${i}`))
    await Promise.all(pairs.map((pair) => pair.close()))
  })
})
