import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { SshjobError } from '../../../src/core/errors.js'
import { HELLO_MAX_BYTES } from '../../../src/core/limits.js'
import { answerHello, receiveClientHello, refuseHello, sendClientHello } from '../../../src/hello/exchange.js'
import type { JobInfo } from '../../../src/hello/messages.js'
import { streamPair } from '../../../src/streams/memory.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { failOnUncaught } from '../../helpers/fail-on-uncaught.js'
import { withFaults } from '../../helpers/stream-faults.js'

failOnUncaught()

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0='
const ECDSA = 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY='
const job: JobInfo = {
  id: 'train',
  host: 'gpu17',
  pids: [799083],
  user: 'ada',
  since: '2024-05-01T10:00:00.000Z',
  command: ['python3', 'train.py'],
}
const EVENTS = ['data', 'readable', 'end', 'close', 'error', 'finish', 'drain']

function listeners(stream: Duplex): number[] {
  return EVENTS.map((event) => stream.listenerCount(event))
}

async function failure(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; retry: boolean }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof SshjobError)) throw new Error(`expected an SshjobError, got ${String(error)}`)
  return { code: error.code, message: error.message, retry: error.retry }
}

async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks)
}

describe('the hello', () => {
  it('brings each side what the other said', async () => {
    const [client, server] = streamPair()
    const asked = sendClientHello(client, { publicKey: KEY, capability: 'abc' })
    await expect(receiveClientHello(server)).resolves.toEqual({ publicKey: KEY, capability: 'abc' })
    await answerHello(server, { ok: true, hostKey: KEY, job })
    await expect(asked).resolves.toEqual({ ok: true, hostKey: KEY, job })
  })

  it('brings keys of other kinds besides the first of each side', async () => {
    const [client, server] = streamPair()
    const asked = sendClientHello(client, { publicKey: KEY, morePublicKeys: [ECDSA] })
    await expect(receiveClientHello(server)).resolves.toEqual({ publicKey: KEY, morePublicKeys: [ECDSA] })
    await answerHello(server, { ok: true, hostKey: KEY, moreHostKeys: [ECDSA], job })
    await expect(asked).resolves.toEqual({ ok: true, hostKey: KEY, moreHostKeys: [ECDSA], job })
  })

  it('gives a refusal to the client with its code, sentence and retry', async () => {
    const [client, server] = streamPair()
    const asked = failure(sendClientHello(client, {}))
    await receiveClientHello(server)
    await answerHello(server, { ok: false, code: 'busy', message: 'Try later.', retry: true })
    await expect(asked).resolves.toEqual({ code: 'busy', message: 'Try later.', retry: true })
    expect(client.destroyed).toBe(true)
  })

  it('takes a refusal with a code that it does not know for a denial', async () => {
    const [client, server] = streamPair()
    const asked = failure(sendClientHello(client, {}))
    server.write('sshjob-hello/1 {"ok":false,"code":"from-the-future","message":"No.","retry":false}\n')
    await expect(asked).resolves.toEqual({ code: 'denied', message: 'No.', retry: false })
  })

  it('works byte by byte, and with a delay on each', async () => {
    const [client, server] = streamPair()
    const slow = withFaults(server, { singleBytes: true })
    const asked = sendClientHello(withFaults(client, { delayMs: 5, singleBytes: true }), { publicKey: KEY })
    await expect(receiveClientHello(slow)).resolves.toEqual({ publicKey: KEY })
    await answerHello(slow, { ok: true, job })
    await expect(asked).resolves.toEqual({ ok: true, job })
  })

  it('gives back every byte that arrived behind the line, on both sides', async () => {
    const [client, server] = streamPair()
    client.write('sshjob-hello/1 {}\nSSH-2.0-client\r\n\n')
    await expect(receiveClientHello(server)).resolves.toEqual({})
    client.end('more')
    await expect(readAll(server)).resolves.toEqual(Buffer.from('SSH-2.0-client\r\n\nmore'))

    const [client2, server2] = streamPair()
    server2.write(`sshjob-hello/1 ${JSON.stringify({ ok: true, job })}\nSSH-2.0-server\r\n`)
    await sendClientHello(client2, {})
    server2.end()
    await expect(readAll(client2)).resolves.toEqual(Buffer.from('SSH-2.0-server\r\n'))
  })

  it('leaves the stream in its first state: no listener, and a data listener starts it', async () => {
    const [client, server] = streamPair()
    const before = listeners(server)
    client.write('sshjob-hello/1 {}\nx')
    await receiveClientHello(server)
    expect(listeners(server)).toEqual(before)
    expect(server.readableFlowing).toBeNull()
    const chunk = once(server, 'data')
    await expect(chunk).resolves.toEqual([Buffer.from('x')])
  })

  it('leaves no listener behind after a failure, and none on the signal', async () => {
    const [client, server] = streamPair()
    const before = listeners(server)
    client.write('nonsense')
    await expect(failure(receiveClientHello(server))).resolves.toMatchObject({ code: 'hello-invalid' })
    expect(listeners(server)).toEqual(before)
  })

  it('reads past fields that it does not know', async () => {
    const [client, server] = streamPair()
    client.write(
      `sshjob-hello/1 {"publicKey":"${KEY}","new":[1,{"a":null}],"__proto__":{"capability":"x"}}\n`,
    )
    await expect(receiveClientHello(server)).resolves.toEqual({ publicKey: KEY })
  })

  it.each([
    ['no JSON', 'sshjob-hello/1 {"publicKey"\n', /not valid JSON/],
    ['an array', 'sshjob-hello/1 []\n', /'hello' is missing or wrong/],
    ['null', 'sshjob-hello/1 null\n', /'hello' is missing or wrong/],
    ['a key of the wrong type', 'sshjob-hello/1 {"publicKey":7}\n', /'publicKey' is missing or wrong/],
    [
      'more keys that are no list',
      'sshjob-hello/1 {"morePublicKeys":"x"}\n',
      /'morePublicKeys' is missing or wrong/,
    ],
    [
      'more keys than there are kinds',
      `sshjob-hello/1 {"morePublicKeys":${JSON.stringify(Array(9).fill(KEY))}}\n`,
      /'morePublicKeys'/,
    ],
    ['one of more keys that is none', 'sshjob-hello/1 {"morePublicKeys":["x y z"]}\n', /'morePublicKeys'/],
    ['a key with a line end', 'sshjob-hello/1 {"publicKey":"ssh-ed25519 AAAA\\nx"}\n', /'publicKey'/],
    ['another version', 'sshjob-hello/2 {}\n', /speaks version 2 of the hello and this one version 1/],
    ['no version', 'sshjob-hello/x {}\n', /names no version/],
    ['an empty line', '\n', /names no version/],
    ['bytes that are not UTF-8', Buffer.from('sshjob-hello/1 {"x":"\xff"}\n', 'latin1'), /not valid UTF-8/],
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n', /not a client of sshjob/],
    ['a wrong first byte', 'x', /not a client of sshjob/],
  ])('refuses %s', async (_what, bytes, message) => {
    const [client, server] = streamPair()
    client.write(bytes)
    const error = await failure(receiveClientHello(server))
    expect(error).toMatchObject({ code: 'hello-invalid', retry: false })
    expect(error.message).toMatch(message)
  })

  it.each([
    ['without a job', { ok: true }],
    ['with a pid that is none', { ok: true, job: { ...job, pids: ['1'] } }],
    ['with a date that is none', { ok: true, job: { ...job, since: 'soon' } }],
    ['without retry', { ok: false, code: 'busy', message: 'x' }],
    ['that is neither yes nor no', { job }],
  ])('refuses an answer %s', async (_what, answer) => {
    const [client, server] = streamPair()
    server.write(`sshjob-hello/1 ${JSON.stringify(answer)}\n`)
    await expect(failure(sendClientHello(client, {}))).resolves.toMatchObject({ code: 'hello-invalid' })
  })

  it('takes a line of the longest length, and refuses one byte more without reading on', async () => {
    const line = (length: number): string => {
      const empty = 'sshjob-hello/1 {"capability":""}\n'.length
      return `sshjob-hello/1 {"capability":"${'c'.repeat(length - empty)}"}\n`
    }
    const [client, server] = streamPair()
    client.write(line(HELLO_MAX_BYTES))
    await expect(receiveClientHello(server)).resolves.toHaveProperty('capability')
    const [client2, server2] = streamPair()
    client2.write(line(HELLO_MAX_BYTES + 1))
    await expect(failure(receiveClientHello(server2))).resolves.toMatchObject({
      code: 'hello-invalid',
      message: `The other side's hello is longer than ${HELLO_MAX_BYTES} bytes.`,
    })
    const [client3, server3] = streamPair()
    client3.write(`sshjob-hello/1 ${'x'.repeat(HELLO_MAX_BYTES)}`)
    await expect(failure(receiveClientHello(server3))).resolves.toMatchObject({ code: 'hello-invalid' })
  })

  it('does not wait for ever for a hello that comes too slowly', async () => {
    const [client, server] = streamPair()
    client.write('sshjob-hello/1 {')
    await expect(failure(receiveClientHello(server, { timeoutMs: 20 }))).resolves.toEqual({
      code: 'hello-timeout',
      message: 'The other side sent no complete hello in 0.02 s.',
      retry: false,
    })
    await expect(failure(sendClientHello(client, {}, { timeoutMs: 20 }))).resolves.toMatchObject({
      code: 'hello-timeout',
    })
  })

  it.each(['', 'sshjob-hello/1 {"pub'])('says so when the stream ends after %j', async (bytes) => {
    const [client, server] = streamPair()
    client.end(bytes)
    await expect(failure(receiveClientHello(server))).resolves.toMatchObject({ code: 'connection-lost' })
    const [client2, server2] = streamPair()
    client2.write(bytes)
    const received = failure(receiveClientHello(server2))
    server2.destroy(new Error('pulled'))
    await expect(received).resolves.toMatchObject({
      code: 'connection-lost',
      message: 'The connection failed during the hello: pulled.',
    })
    await expect(failure(receiveClientHello(server2))).resolves.toMatchObject({ code: 'connection-lost' })
    await expect(failure(answerHello(server2, { ok: true, job }))).resolves.toMatchObject({
      code: 'connection-lost',
    })
  })

  it('stops when it is aborted, before or in the middle', async () => {
    const [, server] = streamPair()
    await expect(failure(receiveClientHello(server, { signal: AbortSignal.abort() }))).resolves.toMatchObject(
      { code: 'aborted' },
    )
    const controller = new AbortController()
    const received = failure(receiveClientHello(server, { signal: controller.signal }))
    controller.abort(new SshjobError('job-ended', 'It is over.'))
    await expect(received).resolves.toMatchObject({ code: 'job-ended', message: 'It is over.' })
  })

  it('fails, and does not wait, when the other side does not read the answer', async () => {
    const [, server] = streamPair()
    server.write(Buffer.alloc(300_000))
    await expect(failure(answerHello(server, { ok: true, job }, { timeoutMs: 20 }))).resolves.toMatchObject({
      code: 'hello-timeout',
      message: 'The other side did not read our hello in 0.02 s.',
    })
  })

  it('reads the answer on a stream whose other direction is over', async () => {
    const [client, server] = streamPair()
    client.end()
    const asked = sendClientHello(client, {})
    await answerHello(server, { ok: true, job })
    await expect(asked).resolves.toEqual({ ok: true, job })
  })

  it('says nothing to who says nothing', async () => {
    const [client, server] = streamPair()
    client.end()
    await expect(failure(receiveClientHello(server))).resolves.toMatchObject({ code: 'connection-lost' })
    server.end()
    await expect(readAll(client)).resolves.toEqual(Buffer.alloc(0))
  })

  it('cuts a long command, message and list of pids so that the line stays within its limit', async () => {
    const long = {
      ...job,
      command: ['sh', '-c', '\u0001'.repeat(200_000), 'end'],
      pids: Array(5_000).fill(4_000_000),
    }
    const [client, server] = streamPair()
    const asked = sendClientHello(client, {})
    await answerHello(server, { ok: true, hostKey: KEY, job: long })
    const { job: received } = await asked
    expect(received.command[0]).toBe('sh')
    expect(received.command[2]?.endsWith('...')).toBe(true)
    expect(received.command).toHaveLength(3)
    expect(received.pids).toHaveLength(100)

    const [client2, server2] = streamPair()
    const refused = failure(sendClientHello(client2, {}))
    await answerHello(server2, { ok: false, code: 'internal', message: 'é'.repeat(50_000), retry: false })
    expect((await refused).message).toHaveLength(1_500)
  })

  it('refuses to say a hello that is too long', async () => {
    const [client] = streamPair()
    await expect(failure(sendClientHello(client, { capability: 'c'.repeat(20_000) }))).resolves.toMatchObject(
      {
        code: 'usage',
      },
    )
  })

  it('lets nothing through that would write to a terminal more than text', async () => {
    const [client, server] = streamPair()
    const asked = sendClientHello(client, {})
    await answerHello(server, { ok: true, job: { ...job, command: ['sh\u001b]0;x\u0007', 'a\nb\u202e'] } })
    expect((await asked).job.command).toEqual(['sh?]0;x?', 'a b?'])
  })
})

describe('an SSH client that says no hello', () => {
  it('is told what to use instead, in the words of SSH', async () => {
    const [client, server] = streamPair()
    client.write('SSH-2.0-OpenSSH_9.2\r\n')
    const error = await failure(receiveClientHello(server))
    expect(error.code).toBe('hello-invalid')
    expect(error.message).toContain('`sshjob proxy JOB` as ProxyCommand')
    server.end()
    const answer = await readAll(client)
    const text = answer.toString('latin1')
    expect(text.startsWith(`sshjob: ${error.message}\r\nSSH-2.0-sshjob\r\n`)).toBe(true)
    const packet = answer.subarray(text.indexOf('SSH-2.0-sshjob\r\n') + 16)
    expect(packet.readUInt32BE(0)).toBe(packet.length - 4)
    expect(packet.length % 8).toBe(0)
    expect(packet[4]).toBeGreaterThanOrEqual(4)
    expect(packet[5]).toBe(1)
    expect(packet.toString('latin1')).toContain(error.message)
  })

  it('is recognised when its bytes come one by one', async () => {
    const [client, server] = streamPair()
    client.write('SSH-2.0-x\r\n')
    const error = await failure(receiveClientHello(withFaults(server, { singleBytes: true })))
    expect(error.message).toContain('ProxyCommand')
  })

  it('is understood by a client that meets one instead of a starter', async () => {
    const [client, server] = streamPair()
    server.write('SSH-2.0-OpenSSH_9.2\r\n')
    const error = await failure(sendClientHello(client, {}))
    expect(error).toMatchObject({ code: 'hello-invalid' })
    expect(error.message).toContain('not sshjob-server')
  })
})

describe('refuseHello', () => {
  it('reaches a client that writes its hello afterwards, and ends the stream', async () => {
    const [client, server] = streamPair()
    const closed = refuseHello(server, new SshjobError('busy', 'Too many.', { retry: true }))
    await expect(failure(sendClientHello(client, { publicKey: KEY }))).resolves.toEqual({
      code: 'busy',
      message: 'Too many.',
      retry: true,
    })
    await closed
    expect(server.destroyed).toBe(true)
  })

  it('closes a client that never goes, and takes a stream that is gone already', async () => {
    const [client, server] = streamPair()
    client.on('error', () => undefined)
    await refuseHello(server, new SshjobError('busy', 'Too many.'))
    expect(server.destroyed).toBe(true)
    await refuseHello(server, new SshjobError('busy', 'Too many.'))
  })

  it('outlives a client that is gone, and reads on where we have ended', async () => {
    const [gone, toGone] = streamPair()
    gone.destroy()
    await refuseHello(toGone, new SshjobError('busy', 'Too many.'))
    const [client, server] = streamPair()
    server.end()
    const closed = refuseHello(server, new SshjobError('busy', 'Too many.'))
    await turnOfEventLoop()
    expect(server.destroyed).toBe(false)
    client.end()
    await closed
  })
})
