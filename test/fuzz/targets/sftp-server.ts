import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { BlockingCalls } from '../../../src/core/blocking-calls.js'
import { SFTP_DATA_MAX, SFTP_PACKET_MAX } from '../../../src/core/limits.js'
import { silent } from '../../../src/core/log.js'
import { fileCalls } from '../../../src/job/local-files.js'
import { serveSftp } from '../../../src/server/sftp/serve-sftp.js'
import { SftpConnection } from '../../../src/server/sftp/sftp-connection.js'
import { FXP, makePacket, PacketSplitter } from '../../../src/ssh/sftp-protocol.js'
import { string, uint32, uint64 } from '../../../src/ssh/wire.js'
import { streamPair } from '../../../src/streams/memory.js'
import { turnOfEventLoop, until } from '../../helpers/bytes.js'
import { mutated } from '../core/mutations.js'
import { inPieces } from '../core/pieces.js'
import { act, type Script, type Step, say } from '../core/script.js'
import type { OpenTarget, Target } from '../core/target.js'
import { bytes, number } from '../core/values.js'

/** An id that no request of a script has, but by a rare chance. */
const LAST_ID = 0x7e57_1d00
const ANSWER_MAX = 2 ** 20

const NAMES = ['a', 'b', 'folder', 'folder/x', 'link', '', '.', 'missing/x'].map(string)
const EXTENSIONS = [
  ...['statvfs@openssh.com', 'fstatvfs@openssh.com', 'fsync@openssh.com', 'lsetstat@openssh.com'],
  ...['limits@openssh.com', 'expand-path@openssh.com', 'home-directory', 'users-groups-by-id@openssh.com'],
  ...['posix-rename@openssh.com', 'hardlink@openssh.com', 'copy-data', 'none'],
].map(string)
const HARMLESS = [...NAMES, ...EXTENSIONS].filter((text) => text.includes('/') || text.includes('.'))

/**
 * What is asked for really happens, as root as well, and is to happen in one folder alone: so there is no slash and no
 * dot but in these names, with their lengths before them. In front of each slash are letters, which as a length are
 * too large: no mutation makes it the first of a path.
 */
function tame(data: Buffer): Buffer {
  const tamed = Buffer.from(data.map((byte) => (byte === 0x2f || byte === 0x2e ? 0x78 : byte)))
  for (const text of HARMLESS) {
    for (let at = data.indexOf(text); at >= 0; at = data.indexOf(text, at + text.length)) text.copy(tamed, at)
  }
  return tamed
}

const handle = fc.oneof(
  fc.nat(6).map((id) => string(uint32(id))),
  bytes(6).map(string),
)
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: bytes(8).map(string) },
)
const count = number.map(uint32)
// A write far out makes a sparse file, which costs nothing.
const offset = fc.oneof(
  fc.nat(600_000).map((value) => uint64(value)),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => uint64(value)),
)
const data = fc
  .oneof(
    { weight: 4, arbitrary: bytes(64) },
    fc.nat(70_000).map((length) => Buffer.alloc(length, 'x')),
  )
  .map(string)
const flags = fc.nat(63).map(uint32)
const noAttributes = fc.constant(uint32(0))
const attributes = fc.oneof(
  { weight: 2, arbitrary: noAttributes },
  fc
    .tuple(fc.nat(15), offset, count, count, count, count)
    .map((parts) => Buffer.concat([uint32(parts[0]), ...parts.slice(1).filter(Buffer.isBuffer)])),
  fc.nat(0o7777).map((mode) => Buffer.concat([uint32(4), uint32(mode)])),
)
const extension = fc.constantFrom(...EXTENSIONS)

const packet = (type: number, ...parts: readonly fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> =>
  fc.tuple(fc.nat(2 ** 20), ...parts).map(([id, ...fields]) => makePacket(type, uint32(id), ...fields))

const request = fc.oneof(
  { weight: 4, arbitrary: packet(FXP.OPEN, name, flags, attributes) },
  { weight: 2, arbitrary: packet(FXP.CLOSE, handle) },
  { weight: 4, arbitrary: packet(FXP.READ, handle, offset, count) },
  { weight: 4, arbitrary: packet(FXP.WRITE, handle, offset, data) },
  { weight: 2, arbitrary: packet(FXP.OPENDIR, name) },
  { weight: 2, arbitrary: packet(FXP.READDIR, handle) },
  ...[FXP.LSTAT, FXP.STAT, FXP.REMOVE, FXP.RMDIR, FXP.REALPATH, FXP.READLINK].map((type) =>
    packet(type, name),
  ),
  ...[FXP.SETSTAT, FXP.MKDIR].map((type) => packet(type, name, attributes)),
  packet(FXP.FSTAT, handle),
  packet(FXP.FSETSTAT, handle, attributes),
  ...[FXP.RENAME, FXP.SYMLINK].map((type) => packet(type, name, name)),
  {
    weight: 3,
    arbitrary: packet(FXP.EXTENDED, extension, fc.oneof(handle, name), fc.oneof(handle, name, count)),
  },
  // Its parts are of the right kinds, but not those of its type.
  fc
    .tuple(
      fc.constantFrom(...Object.values(FXP)),
      fc.array(fc.oneof(handle, name, count, offset, data, extension), { maxLength: 4 }),
    )
    .map(([type, parts]) => makePacket(type, uint32(1), ...parts)),
)
/** A packet too short for an id. */
const stump = fc.nat(3).map((length) => makePacket(FXP.STAT, Buffer.alloc(length)))

const step = (packets: fc.Arbitrary<Buffer>): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 12, arbitrary: packets.map((bytes) => say(bytes)) },
    { weight: 1, arbitrary: fc.nat(10).map((turns) => act('wait', turns)) },
    { weight: 1, arbitrary: fc.constantFrom('pause', 'resume').map((verb) => act(verb)) },
  )
const opened = [say(makePacket(FXP.OPEN, uint32(0), string('a'), uint32(3), uint32(0)))]
const conversation = fc
  .array(step(request), { minLength: 1, maxLength: 30 })
  .map((steps) => [...opened, ...steps])
const wild = fc.array(step(fc.oneof({ weight: 6, arbitrary: request }, bytes(300), stump)), {
  minLength: 1,
  maxLength: 10,
})

/** Whether each step is one packet, with an id that can be answered. */
function isWellFramed(script: Script): boolean {
  return script.every(({ bytes }) => {
    if (bytes.length === 0) return true
    return (
      bytes.length >= 9 && bytes.readUInt32BE() === bytes.length - 4 && bytes.length - 4 <= SFTP_PACKET_MAX
    )
  })
}

/** Empties a folder, whatever modes and names (bytes, no text) the requests gave: only root reads one of mode 0. */
function empty(folder: Buffer): void {
  fs.chmodSync(folder, 0o700)
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
    const path = Buffer.concat([folder, Buffer.from('/'), entry.name])
    if (!entry.isDirectory()) {
      fs.unlinkSync(path)
      continue
    }
    empty(path)
    fs.rmdirSync(path)
  }
}

/** The ids of the answers, in their order. */
function collectIds(stream: NodeJS.ReadableStream): number[] {
  const splitter = new PacketSplitter(ANSWER_MAX)
  const ids: number[] = []
  stream.on('data', (chunk: Buffer) => {
    splitter.add(chunk)
    for (let answer = splitter.take(); answer !== undefined; answer = splitter.take()) {
      answer.byte()
      ids.push(answer.uint32())
    }
  })
  return ids
}

async function open(directory: string): Promise<OpenTarget> {
  const root = Buffer.from(directory)
  async function run(untamed: Script): Promise<string> {
    const script = untamed.map((one) => ({ ...one, bytes: tame(one.bytes) }))
    fs.writeFileSync(join(directory, 'a'), 'content')
    fs.mkdirSync(join(directory, 'folder'))
    fs.symlinkSync('a', join(directory, 'link'))
    const [near, far] = streamPair()
    near.on('error', () => undefined)
    const session = serveSftp(far, far, {
      files: { directory, home: directory, calls: fileCalls(new BlockingCalls()) },
      connection: new SftpConnection(),
      log: silent,
    })
    const ids = collectIds(near)
    near.write(makePacket(FXP.INIT, uint32(3)))
    for (const { verb, bytes, count } of script) {
      if (verb === 'wait') for (let turn = 0; turn < Math.min(count, 50); turn++) await turnOfEventLoop()
      else if (verb === 'pause') near.pause()
      else if (verb === 'resume') near.resume()
      else if (bytes.length > 0 && near.writable) near.write(bytes)
    }
    near.resume()
    // Behind all of that: it is answered, or swallowed by what claims to be longer than it is.
    const nowhere = [string(uint32(0xffff_ffff)), uint64(0), uint32(SFTP_DATA_MAX)]
    if (near.writable) near.end(makePacket(FXP.READ, uint32(LAST_ID), ...nowhere))
    const code = await session.ended
    if (!near.readableEnded && code === 0) far.end()
    await until(() => code !== 0 || near.readableEnded)
    near.destroy()
    await session.terminate()
    const left = fs.readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(directory))
    assert.equal(left.length, 0)
    empty(root)
    const answered = ids.at(-1) === LAST_ID
    if (isWellFramed(script)) {
      // The version, one answer to each request, and that to the last.
      assert.equal(ids.length, script.filter(({ bytes }) => bytes.length > 0).length + 2)
      assert.ok(answered)
    }
    return answered ? 'answered' : `ended ${code}`
  }
  return { run, close: async () => empty(root) }
}

function linkOf(fd: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // the folder itself, which is closed by now
  }
}

export const SFTP_SERVER_TARGETS: readonly Target[] = [
  {
    name: 'sftp-server',
    scripts: fc.oneof(
      { weight: 2, arbitrary: conversation },
      { weight: 1, arbitrary: mutated(conversation) },
      { weight: 1, arbitrary: inPieces(mutated(wild)) },
    ),
    outcomes: ['answered', 'ended 0', 'ended 11', 'ended 255'],
    cases: 600,
    open,
  },
]
