import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { remoteFiles } from '../../../src/client/sftp/remote-files.js'
import type { RemoteFiles } from '../../../src/client/sftp/types.js'
import { SshjobError } from '../../../src/core/errors.js'
import type { Channel } from '../../../src/ssh/channel.js'
import { FX, FXP, makePacket, PacketSplitter } from '../../../src/ssh/sftp-protocol.js'
import { byte, OPEN_FAILURE, string, uint32, uint64 } from '../../../src/ssh/wire.js'
import { turnOfEventLoop } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { mutated } from '../core/mutations.js'
import { act, type Script, type Step, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, number, oneOf, u32 } from '../core/values.js'

const REQUEST_MAX = 2 ** 20
const CONTENT = Buffer.alloc(100_000, 'source')

/** What our client does. It may write in the directory, but to the file 'target' alone. */
const DEEDS: Readonly<Record<string, (files: RemoteFiles, directory: string) => Promise<unknown>>> = {
  readFile: (files) => files.readFile('f', { limit: 1_000_000 }),
  writeFile: (files) => files.writeFile('f', CONTENT, { mode: 0o600 }),
  readdir: async (files) => {
    for (const { nameBytes } of await files.readdir('f')) {
      assert.ok(nameBytes.length > 0 && !nameBytes.includes('/'))
      assert.ok(!['.', '..'].includes(nameBytes.toString()))
    }
  },
  stat: (files) => files.stat('f'),
  lstat: (files) => files.lstat('f'),
  mkdir: (files) => files.mkdir('f'),
  remove: (files) => files.remove('f'),
  rename: (files) => files.rename('f', 'g'),
  readlink: (files) => files.readlink('f'),
  realpath: (files) => files.realpath('f'),
  setAttributes: (files) => files.setAttributes('f', { mode: 0o600, modified: new Date(0) }),
  readStream: (files) => drain(files.createReadStream('f', { start: 10, end: 100_000 })),
  writeStream: (files) => pipeline([CONTENT], files.createWriteStream('f')),
  download: (files, directory) => files.download('f', join(directory, 'target'), { preserve: true }),
  resume: (files, directory) => files.download('f', join(directory, 'target'), { resume: true }),
  upload: (files, directory) => files.upload(join(directory, 'source'), 'f', { preserve: true }),
  resumeUpload: (files, directory) => files.upload(join(directory, 'source'), 'f', { resume: true }),
}

async function drain(stream: Readable): Promise<void> {
  for await (const chunk of stream) assert.ok(Buffer.isBuffer(chunk))
}

/** A server of files that says to each request what the script says next. */
function serveAnswers(channel: Channel, answers: Step[]): void {
  const splitter = new PacketSplitter(REQUEST_MAX)
  channel.output.on('error', () => undefined)
  channel.input.on('error', () => undefined)
  channel.inputExtended.resume()
  const send = (packet: Buffer): void => {
    if (channel.output.writable) channel.output.write(packet)
  }
  channel.input.on('data', (chunk: Buffer) => {
    splitter.add(chunk)
    for (let request = splitter.take(); request !== undefined; request = splitter.take()) {
      const first = request.byte() === FXP.INIT
      const step = first ? answers.find(({ verb }) => verb === 'version') : takeAnswer(answers)
      if (step === undefined) return channel.close()
      if (first) send(makePacket(FXP.VERSION, step.bytes))
      else send(makePacket(step.bytes[0] ?? 0, uint32(request.uint32() + step.count), step.bytes.subarray(1)))
    }
  })
}

function takeAnswer(answers: Step[]): Step | undefined {
  const at = answers.findIndex(({ verb }) => verb === 'answer')
  return at < 0 ? undefined : answers.splice(at, 1)[0]
}

async function open(directory: string): Promise<OpenTarget> {
  writeFileSync(join(directory, 'source'), CONTENT)
  async function run(script: Script): Promise<string> {
    // A server may have had it made unwritable.
    rmSync(join(directory, 'target'), { force: true })
    writeFileSync(join(directory, 'target'), 'there')
    const answers = [...script]
    const channels: Channel[] = []
    let over = false
    const pair = await connectionPair(undefined, {
      server: {
        onChannelOpen: () => ({
          accept(channel) {
            if (over) return channel.close()
            channels.push(channel)
            channel.onRequest = () => true
            serveAnswers(channel, answers)
          },
        }),
        onGlobalRequest: () => false,
      },
      client: {
        onChannelOpen: () => ({ refuse: OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE, message: 'no' }),
        onGlobalRequest: () => false,
      },
    })
    const files = remoteFiles(() => pair.client.connection.open('session'))
    const deeds: Promise<unknown>[] = []
    for (const { verb, bytes, count } of script) {
      const deed = DEEDS[verb]
      const channel = channels.at(-1)
      if (deed !== undefined) {
        const done = deed(files, directory)
        done.catch(() => undefined)
        deeds.push(done)
      } else if (verb === 'wait')
        for (let turn = 0; turn < Math.min(count, 50); turn++) await turnOfEventLoop()
      else if (verb === 'raw' && channel?.output.writable) channel.output.write(bytes)
      else if (verb === 'eof') channel?.output.end()
      else if (verb === 'close') channel?.close()
      await turnOfEventLoop()
    }
    // An answer that never comes is no fault of ours.
    over = true
    await Promise.race([Promise.allSettled(deeds), settled(answers)])
    // Whatever a server says, there is one channel for files, and none is forgotten.
    assert.ok(pair.client.connection.channels.size <= 1)
    for (const channel of channels) channel.close()
    const results = await Promise.allSettled(deeds)
    for (const result of results) {
      if (result.status === 'rejected' && !(result.reason instanceof SshjobError)) throw result.reason
    }
    await pair.close()
    assert.deepEqual(readdirSync(directory).sort().join(), 'source,target')
    assert.ok(readFileSync(join(directory, 'source')).equals(CONTENT))
    return results.some(({ status }) => status === 'fulfilled') ? 'did something' : 'did nothing'
  }
  return { run, close: async () => undefined }
}

/** Until nothing has been answered for many turns of the event loop. */
async function settled(answers: readonly Step[]): Promise<void> {
  for (let same = 0, last = answers.length; same < 50; same++) {
    await turnOfEventLoop()
    if (answers.length !== last) same = 0
    last = answers.length
  }
}

const parts = (...list: readonly fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> =>
  fc.tuple(...list).map((buffers) => Buffer.concat(buffers))
const constant = (value: Buffer): fc.Arbitrary<Buffer> => fc.constant(value)

const status = (code: number): fc.Arbitrary<Buffer> =>
  parts(constant(byte(FXP.STATUS)), constant(uint32(code)), oneOf('No.'), constant(string('')))
const size = fc.oneof(fc.nat(200_000), number).map(uint64)
const attributes = fc.oneof(
  {
    weight: 4,
    arbitrary: parts(
      constant(uint32(15)),
      size,
      u32,
      u32,
      fc.constantFrom(0o100644, 0o40755, 0o120777).map(uint32),
      u32,
      u32,
    ),
  },
  parts(constant(uint32(4)), u32),
  constant(uint32(0)),
  parts(u32, size, u32, u32, u32, u32),
)
const entry = parts(
  oneOf('a', 'b', '.', '..', '../x', '/etc/x', 'x/y', '', '\u{202e}a', 'a\nb'),
  oneOf('long'),
  attributes,
)
const ANSWERS = {
  ok: status(FX.OK),
  eof: status(FX.EOF),
  failure: fc.constantFrom(FX.NO_SUCH_FILE, FX.PERMISSION_DENIED, FX.FAILURE, 77).chain(status),
  handle: parts(constant(byte(FXP.HANDLE)), oneOf('handle')),
  data: fc
    .oneof(
      bytes(100),
      fc.constantFrom(1, 32_768, 32_769, 100_000).map((length) => Buffer.alloc(length)),
    )
    .map((data) => Buffer.concat([byte(FXP.DATA), string(data)])),
  attributes: parts(constant(byte(FXP.ATTRS)), attributes),
  names: fc
    .tuple(fc.array(entry, { maxLength: 4 }), fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, number))
    .map(([entries, more]) => Buffer.concat([byte(FXP.NAME), uint32(entries.length + more), ...entries])),
  limits: parts(constant(byte(FXP.EXTENDED_REPLY)), size, size, size, size),
}
type Answer = keyof typeof ANSWERS

/** What a server of good will says to each of these. */
const USUAL: readonly [deed: string, ...answers: Answer[]][] = [
  ['readFile', 'handle', 'attributes', 'data', 'data', 'eof', 'ok'],
  ['writeFile', 'handle', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['readdir', 'handle', 'names', 'names', 'eof', 'ok'],
  ['stat', 'attributes'],
  ['lstat', 'attributes'],
  ['mkdir', 'ok'],
  ['remove', 'ok'],
  ['rename', 'ok'],
  ['readlink', 'names'],
  ['realpath', 'names'],
  ['setAttributes', 'attributes', 'ok'],
  ['readStream', 'handle', 'attributes', 'data', 'data', 'data', 'data', 'ok'],
  ['writeStream', 'handle', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['download', 'handle', 'attributes', 'data', 'data', 'eof', 'ok'],
  ['resume', 'handle', 'attributes', 'data', 'data', 'eof', 'ok'],
  ['upload', 'attributes', 'handle', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['resumeUpload', 'attributes', 'handle', 'attributes', 'data', 'ok', 'ok', 'ok', 'ok'],
]

const extensions = ['limits@openssh.com', 'posix-rename@openssh.com']
const version = fc.oneof(
  { weight: 6, arbitrary: fc.constant(Buffer.concat([uint32(3), string(extensions[1] ?? ''), string('1')])) },
  {
    weight: 3,
    arbitrary: fc.constant(
      Buffer.concat([uint32(3), ...extensions.flatMap((name) => [string(name), string('1')])]),
    ),
  },
  { weight: 1, arbitrary: parts(u32, bytes(20)) },
)
const any: fc.Arbitrary<Buffer> = fc.oneof(...Object.values(ANSWERS))
const answer = (of: fc.Arbitrary<Buffer>): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 30, arbitrary: of.map((data) => say(data, 'answer')) },
    {
      weight: 1,
      arbitrary: fc.tuple(of, fc.constantFrom(1, 2 ** 32 - 1)).map(([data, off]) => say(data, 'answer', off)),
    },
    { weight: 1, arbitrary: any.map((data) => say(data, 'answer')) },
  )
const deed: fc.Arbitrary<Script> = fc
  .constantFrom(...USUAL)
  .chain(([verb, ...kinds]) =>
    fc.tuple(...kinds.map((kind) => answer(ANSWERS[kind]))).map((answers) => [act(verb), ...answers]),
  )
const ending = fc.oneof(
  { weight: 6, arbitrary: fc.constant([]) },
  fc.constantFrom('eof', 'close').map((verb) => [act(verb)]),
  bytes(40).map((data) => [say(data, 'raw')]),
)
const script = fc
  .tuple(version, fc.array(deed, { minLength: 1, maxLength: 3 }), ending)
  .map(([first, deeds, last]) => [say(first, 'version'), ...deeds.flat(), act('wait', 20), ...last])

export const SFTP_CLIENT_TARGETS: readonly Target[] = [
  { name: 'sftp-client', scripts: mutated(script), outcomes: ['did something', 'did nothing'], open },
]
