import assert from 'node:assert/strict'
import fc from 'fast-check'
import { connect } from '../../../src/client/connect.js'
import { SshjobError } from '../../../src/core/errors.js'
import { CIPHERS, KEX, MACS } from '../../../src/ssh/algorithms.js'
import { boolean, byte, string, uint32 } from '../../../src/ssh/wire.js'
import { serve } from '../../../src/starter/serve.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { memoryJob } from '../../helpers/memory-job.js'
import { mutated } from '../core/mutations.js'
import { inPieces } from '../core/pieces.js'
import { act, type Script, type Step, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, fields, invented, message, oneOf } from '../core/values.js'
import { memoryWire } from '../core/wire.js'
import { freshKeys, HOST_POINT } from './keys.js'
import { below, disconnect } from './messages.js'
import { program } from './programs.js'
import { bystander } from './ssh-server.js'

const BLOCK = 8
const PADDING_MIN = 4

/** A packet before the keys: RFC 4253 §6. Its padding, or its length, is as wrong as `fault` says. */
function packet(payload: Buffer, fault: number): Buffer {
  const missing = BLOCK - ((4 + 1 + payload.length) % BLOCK)
  const right = missing < PADDING_MIN ? missing + BLOCK : missing
  const padding = fault === 1 ? 3 : fault === 2 ? 255 : fault === 3 ? right + 1 : right
  const length = 1 + payload.length + padding
  const said = fault === 4 ? length + BLOCK : fault === 5 ? 2 ** 31 : fault === 6 ? 0 : length
  const saidPadding = fault === 7 ? 255 : padding
  return Buffer.concat([uint32(said), byte(saidPadding), payload, Buffer.alloc(padding)])
}

const identification = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('SSH-2.0-OpenSSH_9.2p1\r\n', 'SSH-2.0-x\r\n') },
  fc.constantFrom(
    'SSH-1.99-y\n',
    'SSH-1.5-z\r\n',
    'SSH-2.0-\r\n',
    '\r\n\r\n',
    'a banner\r\nSSH-2.0-x\r\n',
    '',
  ),
  fc.nat(2_000).map((length) => `SSH-2.0-${'x'.repeat(length)}\r\n`),
)

const list = (...all: readonly string[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(string(all.join(','))) },
    fc.subarray([...all]).map((some) => string(some.join(','))),
    fc.constantFrom('', ',', 'none', `${all[0]},`, 'x'.repeat(300)).map(string),
  )

/** SSH_MSG_KEXINIT: RFC 4253 §7.1. */
const kexinit = message(
  20,
  fc.constant(Buffer.alloc(16, 7)),
  list(...KEX, 'ext-info-c', 'kex-strict-c-v00@openssh.com', 'kex-strict-s-v00@openssh.com'),
  list('ssh-ed25519', 'rsa-sha2-256'),
  ...[list(...CIPHERS), list(...CIPHERS), list(...MACS), list(...MACS)],
  ...[list('none', 'zlib'), list('none', 'zlib'), list(''), list('')],
  fc.oneof({ weight: 5, arbitrary: fc.constant(boolean(false)) }, fc.constant(boolean(true))),
  fc.constant(uint32(0)),
)

const point = fc
  .oneof(
    ...[32, 65, 97, 133, 256].map((length) => fc.uint8Array({ minLength: length, maxLength: length })),
    fc.uint8Array({ maxLength: 600 }),
    fc.constantFrom(new Uint8Array(32), new Uint8Array(0)),
  )
  .map((array) => string(Buffer.from(array)))
const newKeys = fc.constant(byte(21))
const hostKey = fields(
  string('ssh-ed25519'),
  fc.oneof({ weight: 4, arbitrary: fc.constant(string(HOST_POINT)) }, point),
)
const signature = fields(oneOf('ssh-ed25519', 'rsa-sha2-512'), bytes(64).map(string)).map(string)
/** What a client begins the exchange with, of either kind of group, and what a server answers. */
const init = fc.constantFrom(30, 30, 32).chain((type) => message(type, point))
const reply = fc
  .constantFrom(31, 31, 33)
  .chain((type) => message(type, hostKey.map(string), point, signature))

function scriptsOf(exchange: fc.Arbitrary<Buffer>): fc.Arbitrary<Script> {
  const fault = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.nat(7))
  const packets = (payload: fc.Arbitrary<Buffer>): fc.Arbitrary<Step> =>
    fc.tuple(payload, fault).map(([bytes, count]) => say(bytes, 'packet', count))
  const usual = fc.tuple(packets(kexinit), packets(exchange), packets(newKeys))
  const more = fc.oneof(
    { weight: 3, arbitrary: packets(fc.oneof(kexinit, exchange, newKeys, below, disconnect, invented)) },
    { weight: 2, arbitrary: bytes(400).map((data) => say(data)) },
    { weight: 1, arbitrary: fc.nat(20).map((turns) => act('wait', turns)) },
  )
  const script = fc
    .tuple(identification, usual, fc.array(more, { maxLength: 4 }), fc.array(more, { maxLength: 3 }))
    .map(([ident, [first, second, third], between, last]) => [
      say(Buffer.from(ident)),
      first,
      ...between,
      second,
      third,
      ...last,
    ])
  const garbage = fc
    .tuple(identification, bytes(40_000))
    .map(([ident, data]) => [say(Buffer.from(ident)), say(data)])
  return inPieces(mutated(fc.oneof({ weight: 8, arbitrary: script }, { weight: 1, arbitrary: garbage })))
}

const ENDS = ['protocol-error', 'connection-lost', 'connection-closed', 'host-key-mismatch']

/** Says all of a script on a wire on which nothing is encrypted yet. */
async function speak(
  script: Script,
  theirs: ReturnType<typeof memoryWire>['theirs'],
  fill: (b: Buffer) => Buffer,
): Promise<void> {
  theirs.resume()
  for (const { verb, bytes, count } of script) {
    if (!theirs.writable) return
    if (verb === 'wait') for (let turn = 0; turn < Math.min(count, 50); turn++) await turnOfEventLoop()
    else if (verb === 'packet') theirs.write(packet(fill(bytes), count))
    else if (bytes.length > 0) theirs.write(bytes)
    await turnOfEventLoop()
  }
  theirs.end()
}

async function openServer(): Promise<OpenTarget> {
  const keys = freshKeys()
  const other = await bystander()
  async function run(script: Script): Promise<string> {
    const { ours, theirs, destroy } = memoryWire()
    const served = serve(ours, memoryJob(program), { credentials: keys.server })
    await speak(script, theirs, keys.fill)
    const cause = await served.closed
    assert.equal(served.authenticated, false)
    assert.ok(cause instanceof SshjobError && ENDS.includes(cause.code), String(cause))
    destroy()
    await other.check()
    return cause.code
  }
  return { run, close: other.close }
}

async function openClient(): Promise<OpenTarget> {
  const keys = freshKeys()
  async function run(script: Script): Promise<string> {
    const { ours, theirs, destroy } = memoryWire()
    const connecting = connect(ours, { credentials: keys.client }).then(
      () => assert.fail('a server that can not sign was believed'),
      (error: unknown) => {
        assert.ok(error instanceof SshjobError && ENDS.includes(error.code), String(error))
        return error.code
      },
    )
    connecting.catch(() => undefined)
    await speak(script, theirs, keys.fill)
    const code = await connecting
    assert.ok(ours.destroyed)
    destroy()
    return code
  }
  return { run, close: async () => undefined }
}

/** SSH before there are keys, which anybody can write who reaches the stream. */
export const CLEAR_TARGETS: readonly Target[] = [
  {
    name: 'ssh-clear-server',
    scripts: scriptsOf(init),
    outcomes: ['protocol-error', 'connection-lost', 'connection-closed'],
    cases: 500,
    open: openServer,
  },
  {
    name: 'ssh-clear-client',
    scripts: scriptsOf(reply),
    outcomes: ['protocol-error', 'connection-lost', 'connection-closed', 'host-key-mismatch'],
    cases: 500,
    open: openClient,
  },
]
