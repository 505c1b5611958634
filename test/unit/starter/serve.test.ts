import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { connect } from '../../../src/client/connect.js'
import { SshjobError } from '../../../src/core/errors.js'
import { encodeClientHello } from '../../../src/hello/encoding.js'
import { sendClientHello } from '../../../src/hello/exchange.js'
import { generateEcdsaKey, generateKey } from '../../../src/ssh/keys.js'
import { describeJob } from '../../../src/starter/describe-job.js'
import { serve } from '../../../src/starter/serve.js'
import { streamPair } from '../../../src/streams/memory.js'
import { readAll, until } from '../../helpers/bytes.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { rawPeer, sessionKeys } from '../../helpers/raw-peer.js'
import { sessionPair } from '../../helpers/session-pair.js'

const keys = sessionKeys()
const EARLY = 'The client sent more than its hello before it was answered: it has to wait for the answer.'

describe('serve', () => {
  it('answers a question, a hello without a key, with the job, and closes', async () => {
    const [serverStream, clientStream] = streamPair()
    const job = memoryJob(idle)
    const served = serve(serverStream, job)
    const answer = await sendClientHello(clientStream, {})
    expect(answer).toEqual({ ok: true, job: describeJob(job) })
    expect(await readAll(clientStream)).toEqual(Buffer.alloc(0))
    expect(await served.closed).toBeUndefined()
    expect(served.authenticated).toBe(false)
  })

  it('makes keys anew for each session', async () => {
    const hostKeys = new Set<string | undefined>()
    for (let i = 0; i < 2; i++) {
      const [serverStream, clientStream] = streamPair()
      const served = serve(serverStream, memoryJob(idle))
      const answer = await sendClientHello(clientStream, { publicKey: generateKey().publicKey })
      hostKeys.add(answer.hostKey)
      clientStream.destroy()
      await served.closed
    }
    expect(hostKeys.size).toBe(2)
    expect([...hostKeys].join()).toMatch(/^ssh-ed25519 \S+,ssh-ed25519 \S+$/)
  })

  it('has a host key of another kind for a client that may have another, and lets in each key that it named', async () => {
    const [first, second] = [generateKey(), generateEcdsaKey()]
    for (const [key, which] of [
      [first, 0],
      [second, 1],
    ] as const) {
      const [serverStream, clientStream] = streamPair()
      const served = serve(serverStream, memoryJob(idle))
      const unknown = 'ssh-ofthefuture AAAAD3NzaC1vZnRoZWZ1dHVyZQ=='
      const { hostKey = '', moreHostKeys = [] } = await sendClientHello(clientStream, {
        publicKey: first.publicKey,
        morePublicKeys: [unknown, second.publicKey],
      })
      expect([hostKey, ...moreHostKeys].map((line) => line.split(' ')[0])).toEqual([
        'ssh-ed25519',
        'ecdsa-sha2-nistp256',
      ])
      const peer = await rawPeer(clientStream, {
        privateKey: key.privateKey,
        hostKey: [hostKey, ...moreHostKeys][which] ?? '',
      })
      expect(served.authenticated).toBe(true)
      peer.transport.close()
      await served.closed
    }
  })

  it('does not let in another key of a kind that the hello named', async () => {
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle))
    const hello = { publicKey: generateKey().publicKey, morePublicKeys: [generateEcdsaKey().publicKey] }
    const { hostKey = '' } = await sendClientHello(clientStream, hello)
    const peer = rawPeer(clientStream, { privateKey: generateEcdsaKey().privateKey, hostKey })
    await expect(peer).rejects.toMatchObject({ code: 'authentication-failed' })
    await served.closed
  })

  it('lets in only the key that the hello named', async () => {
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle))
    const named = generateKey()
    const { hostKey = '' } = await sendClientHello(clientStream, { publicKey: named.publicKey })
    const peer = rawPeer(clientStream, { privateKey: generateKey().privateKey, hostKey })
    await expect(peer).rejects.toMatchObject({ code: 'authentication-failed' })
    await served.closed
    expect(served.authenticated).toBe(false)
  })

  it.each<[string, string | Buffer, string]>([
    ['a key that is none', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA', 'hello-invalid'],
    ['a key of a type that nobody has', 'ssh-nonsense AAAA', 'hello-invalid'],
  ])('refuses %s', async (_title, publicKey, code) => {
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle))
    await expect(sendClientHello(clientStream, { publicKey: String(publicKey) })).rejects.toMatchObject({
      code,
    })
    expect(await served.closed).toMatchObject({ code })
  })

  it.each<[string, (stream: Duplex) => void]>([
    ['sends garbage', (stream) => void stream.write(Buffer.alloc(100_000, 0xff))],
    ['speaks HTTP', (stream) => void stream.write('GET / HTTP/1.1\r\n\r\n')],
    ['ends', (stream) => void stream.end()],
    ['is destroyed', (stream) => void stream.destroy()],
  ])('takes it calmly when a client instead of its hello %s', async (_title, act) => {
    const [serverStream, clientStream] = streamPair()
    clientStream.on('error', () => undefined).resume()
    const served = serve(serverStream, memoryJob(idle))
    act(clientStream)
    expect(await served.closed).toMatchObject({
      code: expect.stringMatching('hello-invalid|connection-lost'),
    })
    await until(() => serverStream.destroyed)
  })

  it.each([
    ['with it', 0],
    ['behind it, before the answer', 1],
  ])('refuses what a client sends %s', async (_, turns) => {
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle))
    const hello = encodeClientHello({ publicKey: generateKey().publicKey })
    const answer = readAll(clientStream)
    if (turns === 0) clientStream.write(Buffer.concat([hello, Buffer.from('SSH-2.0-early\r\n')]))
    else {
      clientStream.write(hello.subarray(0, -1))
      clientStream.write(Buffer.concat([hello.subarray(-1), Buffer.from('S')]))
    }
    expect(await served.closed).toMatchObject({ code: 'hello-invalid', message: EARLY })
    expect((await answer).toString()).toContain(EARLY)
  })

  it('that was aborted before it began serves nothing, with a hello', async () => {
    const [serverStream, clientStream] = streamPair()
    const served = serve(serverStream, memoryJob(idle), { signal: AbortSignal.abort() })
    expect(await served.closed).toMatchObject({ code: 'aborted' })
    await expect(connect(clientStream)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('that was aborted before it began serves nothing, with keys known', async () => {
    const [serverStream, clientStream] = streamPair()
    const signal = AbortSignal.abort()
    const served = serve(serverStream, memoryJob(idle), { signal, credentials: keys.server })
    expect(await served.closed).toMatchObject({ code: 'aborted' })
    await expect(rawPeer(clientStream, keys.client)).rejects.toBeInstanceOf(SshjobError)
    expect(served.authenticated).toBe(false)
  })

  it('that is aborted during the hello tells the client', async () => {
    const [serverStream, clientStream] = streamPair()
    const abort = new AbortController()
    const served = serve(serverStream, memoryJob(idle), { signal: abort.signal })
    abort.abort()
    await expect(sendClientHello(clientStream, {})).rejects.toMatchObject({ code: 'aborted' })
    expect(await served.closed).toMatchObject({ code: 'aborted' })
  })

  it('that is aborted later ends the session, its processes, and gives the reason', async () => {
    const abort = new AbortController()
    const job = memoryJob(idle)
    const pair = await sessionPair({ job, serve: { signal: abort.signal } })
    const remote = await pair.client.exec('sleep')
    abort.abort(new SshjobError('job-ended', 'The job has ended.'))
    expect(await pair.served.closed).toMatchObject({ code: 'job-ended' })
    expect(await pair.client.closed).toMatchObject({
      code: 'connection-closed',
      message: 'The other side closed the connection: The job has ended.',
    })
    await expect(remote.ended).rejects.toMatchObject({ code: 'connection-closed' })
    expect(job.processes[0]?.terminated).toBe(true)
  })

  it('says to every open session why it ends, on stderr or on the terminal', async () => {
    const pair = await sessionPair({ job: memoryJob(idle), serve: { motd: false } })
    const command = await pair.client.exec('sleep')
    const shell = await pair.client.shell()
    const [stderr, screen] = [collect(command.stderr), collect(shell.stdout)]
    await pair.served.end(new SshjobError('job-ended', 'The job has ended.'))
    await pair.client.closed
    expect(await stderr).toBe('sshjob-server: The job has ended.\n')
    expect(await screen).toBe('\r\nsshjob-server: The job has ended.\r\n')
  })

  it('ends a session without traffic when it is told to, and not one with some', async () => {
    const pair = await sessionPair({ job: memoryJob(idle), serve: { idleTimeoutMs: 1_000 } })
    const remote = await pair.client.exec('sleep')
    const typing = setInterval(() => remote.stdin.write('x'), 20)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(pair.served.channels).toBe(1)
    clearInterval(typing)
    expect(await pair.served.closed).toMatchObject({ code: 'idle-timeout' })
    await pair.client.closed
  })

  it('resolves closed only when the processes are gone', async () => {
    const pair = await sessionPair()
    const remote = await pair.client.exec("trap '' HUP TERM; echo $$; while :; do sleep 1; done")
    const [line] = await once(remote.stdout, 'data')
    const pid = Number(String(line))
    pair.clientStream.destroy()
    expect(await pair.served.closed).toMatchObject({ code: 'connection-lost' })
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('survives a job that throws', async () => {
    const job = memoryJob(idle)
    const broken = {
      ...job,
      spawn: () => {
        throw new TypeError('a bug')
      },
    }
    const pair = await sessionPair({ job: broken })
    await expect(pair.client.exec('x')).rejects.toMatchObject({
      code: 'request-refused',
      message: 'a bug',
    })
    await pair.client.ping()
    await pair.close()
  })
})

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream) text += chunk.toString()
  } catch (error) {
    expect(error).toMatchObject({ code: 'connection-closed' })
  }
  return text
}
