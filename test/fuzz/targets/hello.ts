import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import { SshjobError } from '../../../src/core/errors.js'
import { receiveClientHello, sendClientHello } from '../../../src/hello/exchange.js'
import type { ClientHello, ServerHello } from '../../../src/hello/messages.js'
import { serve } from '../../../src/starter/serve.js'
import { streamPair } from '../../../src/streams/memory.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { idle, memoryJob } from '../../helpers/memory-job.js'
import { mutated } from '../core/mutations.js'
import { inPieces } from '../core/pieces.js'
import { act, type Script, say } from '../core/script.js'
import type { Target } from '../core/target.js'
import { bytes } from '../core/values.js'

const MAGIC = 'sshjob-hello/1 '
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0='
/** Of which there is a private half, somewhere. */
const GOOD_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWTFBaMHosnk9ECh4KvSbpoBvWg+mdzJkvtHgNAjPG+'
const JOB = { id: 'a', host: 'b', pids: [1], user: 'c', since: '2024-05-01', command: ['d'] }
const EVENTS = ['data', 'readable', 'end', 'close', 'error', 'finish', 'drain']
/** What would move the cursor of whoever reads it, or turn the text around. */
const NOT_PRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u

const line = (value: unknown): Buffer => Buffer.from(`${MAGIC}${JSON.stringify(value)}\n`)

function scriptsOf(...hellos: readonly (ClientHello | ServerHello)[]): fc.Arbitrary<Script> {
  const sound = fc.constantFrom(...hellos.map(line))
  const json = fc.json().map((text) => Buffer.from(`${MAGIC}${text}\n`))
  // A field with another value than it should have.
  const odd = fc
    .tuple(fc.constantFrom(...hellos), fc.nat(), fc.jsonValue())
    .map(([hello, at, value]) =>
      line({ ...hello, [Object.keys(hello)[at % Object.keys(hello).length] ?? 'x']: value }),
    )
  const oddJob = fc
    .tuple(fc.constantFrom(...Object.keys(JOB)), fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })))
    .map(([name, value]) => line({ ok: true, job: { ...JOB, [name]: value } }))
  const long = fc
    .tuple(sound, fc.nat(40_000))
    .map(([start, length]) => Buffer.concat([start.subarray(0, 30), Buffer.alloc(length, 0x61)]))
  const first = fc.oneof({ weight: 6, arbitrary: sound }, odd, oddJob, json, bytes(200), long)
  const rest = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    bytes(40).map((more) => [say(more)]),
  )
  const end = fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, fc.constant([act('destroy')]))
  const script = fc.tuple(first, rest, end).map(([start, more, last]) => [say(start), ...more, ...last])
  return inPieces(mutated(script))
}

const listeners = (stream: Duplex): number[] => EVENTS.map((event) => stream.listenerCount(event))

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

/**
 * A side that expects a hello: it fails with nothing but an SshjobError, takes no byte too many, leaves no listener,
 * and what it gives for people to read can be printed.
 */
function target(
  name: string,
  scripts: fc.Arbitrary<Script>,
  side: (stream: Duplex) => Promise<object>,
): Target {
  async function run(script: Script): Promise<string> {
    const [peer, stream] = streamPair()
    peer.on('error', () => undefined)
    const before = listeners(stream)
    const outcome = side(stream).then(
      (hello) => {
        if ('job' in hello) for (const text of textsOf(hello.job)) assert.doesNotMatch(text, NOT_PRINTABLE)
        return 'taken'
      },
      (error: unknown) => {
        assert.ok(error instanceof SshjobError, String(error))
        assert.doesNotMatch(error.message, NOT_PRINTABLE)
        return 'refused'
      },
    )
    const sent: Buffer[] = []
    for (const { verb, bytes } of script) {
      if (verb === 'destroy') peer.destroy()
      else if (peer.writable) {
        sent.push(bytes)
        peer.write(bytes)
      }
      await turnOfEventLoop()
    }
    const whole = peer.writable
    if (whole) peer.end()
    const result = await outcome
    assert.deepEqual(listeners(stream), before)
    if (result === 'taken' && whole) {
      const rest: Buffer[] = []
      for await (const chunk of stream) rest.push(chunk)
      const all = Buffer.concat(sent)
      assert.deepEqual(Buffer.concat(rest), all.subarray(all.indexOf('\n') + 1))
    }
    stream.destroy()
    peer.destroy()
    return result
  }
  return {
    name,
    scripts,
    outcomes: ['taken', 'refused'],
    cases: 2_000,
    open: async () => ({ run, close: async () => undefined }),
  }
}

/** A client's hello and what comes behind it, to a whole server: nobody gets in without a key of its own. */
const served: Target = {
  name: 'hello-served',
  scripts: scriptsOf({ publicKey: KEY }, { publicKey: GOOD_KEY, morePublicKeys: [GOOD_KEY, KEY] }, {}),
  outcomes: ['over', 'hello-invalid', 'connection-lost', 'protocol-error'],
  async open() {
    async function run(script: Script): Promise<string> {
      const [peer, stream] = streamPair()
      peer.on('error', () => undefined).resume()
      const server = serve(stream, memoryJob(idle))
      for (const { verb, bytes } of script) {
        if (verb === 'destroy') peer.destroy()
        else if (peer.writable) peer.write(bytes)
        await turnOfEventLoop()
      }
      if (peer.writable) peer.end()
      const cause = await server.closed
      assert.equal(server.authenticated, false)
      peer.destroy()
      return cause?.code ?? 'over'
    }
    return { run, close: async () => undefined }
  },
}

const fromClient = scriptsOf(
  { publicKey: KEY, capability: 'x' },
  { publicKey: KEY, morePublicKeys: [KEY, GOOD_KEY] },
  {},
)
const fromServer = scriptsOf(
  { ok: true, hostKey: KEY, job: JOB },
  { ok: true, hostKey: KEY, moreHostKeys: [GOOD_KEY], job: JOB },
  { ok: false, code: 'busy', message: 'There is no room.', retry: true },
)

export const HELLO_TARGETS: readonly Target[] = [
  target('hello-server', fromClient, (stream) => receiveClientHello(stream)),
  target('hello-client', fromServer, (stream) => sendClientHello(stream, {})),
  served,
]
