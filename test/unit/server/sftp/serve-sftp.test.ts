import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { SFTP_HANDLES_MAX, SFTP_PENDING_BYTES } from '../../../../src/core/limits.js'
import { encodeAttributes, FX, FXF, FXP, makePacket } from '../../../../src/ssh/sftp-protocol.js'
import { Reader, string, uint32, uint64 } from '../../../../src/ssh/wire.js'
import { turnOfEventLoop, untilSettled } from '../../../helpers/bytes.js'
import { memoryInUse } from '../../../helpers/memory-in-use.js'
import { type ServedSftp, type SftpPeer, servedSftp } from '../../../helpers/sftp-peer.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const MIB = 1024 * 1024
const at = (offset: number): Buffer => uint64(offset)
const openDescriptors = (): string[] =>
  fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })

describe('the SFTP server', () => {
  const directory = temporaryDirectory()
  let served: ServedSftp
  let peer: SftpPeer
  beforeEach(async () => {
    served = await servedSftp(directory())
    peer = served.peer
  })
  afterEach(() => served.close())
  const inside = (name: string): string => join(directory(), name)
  const openedHere = (): string[] => openDescriptors().filter((path) => path.startsWith(directory()))

  it('begins relative paths in the job’s directory', async () => {
    fs.writeFileSync(inside('here'), 'x')
    expect(await peer.status(FXP.STAT, string('here'))).toBe(FX.OK)
    const answer = await peer.ask(FXP.REALPATH, string('.'))
    expect(new Reader(answer.data, 4).string().toString()).toBe(fs.realpathSync(directory()))
  })

  it('keeps names that are not UTF-8', async () => {
    const name = Buffer.from([0xff, 0x2d, 0xfe])
    const handle = string(await peer.open(name, FXF.WRITE | FXF.CREAT))
    await peer.ask(FXP.CLOSE, handle)
    const folder = await peer.ask(FXP.OPENDIR, string('.'))
    const listed = await peer.ask(FXP.READDIR, folder.data)
    expect(listed.data.includes(string(name))).toBe(true)
    expect(fs.readdirSync(directory(), { encoding: 'buffer' }).some((entry) => entry.equals(name))).toBe(true)
    expect(await peer.status(FXP.REMOVE, string(name))).toBe(FX.OK)
  })

  it('takes reads and writes in any order, and far beyond 4 GiB', async () => {
    const handle = string(await peer.open('sparse', FXF.READ | FXF.WRITE | FXF.CREAT))
    const far = 5 * 1024 * MIB
    const writes = [far + 10, 100, far, 0].map((offset) =>
      peer.status(FXP.WRITE, handle, at(offset), string(`<${offset}>`)),
    )
    expect(await Promise.all(writes)).toEqual([0, 0, 0, 0])
    const [end, first] = await Promise.all([
      peer.ask(FXP.READ, handle, at(far), uint32(3)),
      peer.ask(FXP.READ, handle, at(0), uint32(3)),
    ])
    expect(new Reader(end.data).text()).toBe(`<${far}>`.slice(0, 3))
    expect(new Reader(first.data).text()).toBe('<0>')
    expect(fs.statSync(inside('sparse')).size).toBe(far + 10 + `<${far + 10}>`.length)
    expect(fs.statSync(inside('sparse')).blocks).toBeLessThan(100)
    fs.rmSync(inside('sparse'))
  })

  it('copies within the server far beyond 4 GiB', async () => {
    const far = 5 * 1024 * MIB
    const source = string(await peer.open('from', FXF.READ | FXF.WRITE | FXF.CREAT))
    const target = string(await peer.open('to', FXF.READ | FXF.WRITE | FXF.CREAT))
    await peer.ask(FXP.WRITE, source, at(far), string('0123456789'))
    const copy = [source, at(far + 2), at(5), target, at(2 * far)]
    const { type, data } = await peer.askExtended('copy-data', ...copy)
    expect([type, data.readUInt32BE()]).toEqual([FXP.STATUS, FX.OK])
    // 0 is up to the end, of which nothing is left there.
    await peer.askExtended('copy-data', source, at(far + 8), at(0), target, at(2 * far + 5))
    const copied = await peer.ask(FXP.READ, target, at(2 * far), uint32(100))
    expect(new Reader(copied.data).text()).toBe('2345689')
    expect(fs.statSync(inside('to')).blocks).toBeLessThan(100)
    for (const name of ['from', 'to']) fs.rmSync(inside(name))
  })

  it('answers each of the requests that have the same id', async () => {
    fs.writeFileSync(inside('a'), '')
    const bytes: Buffer[] = []
    const collect = (chunk: Buffer): void => void bytes.push(chunk)
    served.stream.on('data', collect)
    const request = makePacket(FXP.STAT, uint32(7), string('a'))
    peer.send(Buffer.concat([request, makePacket(FXP.REMOVE, uint32(7), string('a')), request]))
    await peer.ask(FXP.STAT, string('.'))
    served.stream.off('data', collect)
    const types: number[] = []
    const all = Buffer.concat(bytes)
    for (let from = 0; from < all.length; from += 4 + all.readUInt32BE(from)) {
      if (all.readUInt32BE(from + 5) === 7) types.push(all.readUInt8(from + 4))
    }
    expect(types).toEqual([FXP.ATTRS, FXP.STATUS, FXP.STATUS])
  })

  it('does what is sent at once as if it were done one after the other', async () => {
    const handle = string(await peer.open('order', FXF.READ | FXF.WRITE | FXF.CREAT))
    const steps = Array.from({ length: 200 }, (_, n) => [
      peer.status(FXP.WRITE, handle, at(50_000), string('-')),
      peer.status(FXP.WRITE, handle, at(0), string(String(n).padStart(250_000))),
      peer.ask(FXP.READ, handle, at(249_990), uint32(10)),
      peer.ask(FXP.FSTAT, handle),
    ])
    const closed = peer.status(FXP.CLOSE, handle)
    const late = peer.status(FXP.READ, handle, at(0), uint32(1))
    for (const [n, [first, second, read]] of steps.entries()) {
      expect(await Promise.all([first, second])).toEqual([FX.OK, FX.OK])
      const answer = await read
      if (typeof answer === 'number' || answer === undefined) throw new Error('no answer')
      expect(new Reader(answer.data).text()).toBe(String(n).padStart(10))
    }
    expect(await closed).toBe(FX.OK)
    expect(await late).toBe(FX.FAILURE)
  })

  it('answers in the order of the requests, as OpenSSH’s client needs it', async () => {
    fs.writeFileSync(inside('ordered'), Buffer.alloc(2 * MIB, 1))
    const handle = string(await peer.open('ordered', FXF.READ))
    const arrived: number[] = []
    // Long reads and short ones, so that those behind are done sooner.
    const asked = Array.from({ length: 400 }, (_, n) =>
      peer.ask(FXP.READ, handle, at(0), uint32(n % 2 === 0 ? 255 * 1024 : 1)).then(() => arrived.push(n)),
    )
    await Promise.all(asked)
    expect(arrived).toEqual(asked.map((_, n) => n))
  })

  it('appends what is sent at once in its order', async () => {
    const handle = string(await peer.open('log', FXF.WRITE | FXF.CREAT | FXF.APPEND))
    const lines = Array.from({ length: 500 }, (_, n) => `line ${n}\n`)
    await Promise.all(lines.map((line) => peer.status(FXP.WRITE, handle, at(0), string(line))))
    expect(fs.readFileSync(inside('log'), 'utf8')).toBe(lines.join(''))
  })

  it('is not stopped by a FIFO that nobody reads or writes', async () => {
    execFileSync('mkfifo', [inside('fifo')])
    expect(await peer.status(FXP.OPEN, string('fifo'), uint32(FXF.WRITE), uint32(0))).toBe(FX.FAILURE)
    const handle = string(await peer.open('fifo', FXF.READ))
    expect(await peer.status(FXP.READ, handle, at(0), uint32(10))).toBe(FX.FAILURE)
    expect(await peer.status(FXP.SETSTAT, string('fifo'), encodeAttributes({ size: 1n }))).not.toBe(FX.OK)
    expect(await peer.status(FXP.STAT, string('fifo'))).toBe(FX.OK)
  })

  it('says what has failed where the code does not', async () => {
    const handle = string(await peer.open('/dev/full', FXF.WRITE))
    const answer = await peer.ask(FXP.WRITE, handle, at(0), string('x'))
    const reader = new Reader(answer.data)
    expect([reader.uint32(), reader.text()]).toEqual([FX.FAILURE, 'no space left on device'])
  })

  it('opens so many files and no more, and goes on', async () => {
    fs.writeFileSync(inside('many'), '')
    const open = (): Promise<number> => peer.status(FXP.OPEN, string('many'), uint32(FXF.READ), uint32(0))
    const opened = await Promise.all(Array.from({ length: SFTP_HANDLES_MAX + 50 }, open))
    expect(opened.filter((code) => code === FX.OK)).toHaveLength(SFTP_HANDLES_MAX)
    expect(openedHere()).toHaveLength(SFTP_HANDLES_MAX)
    expect(await peer.status(FXP.OPENDIR, string('.'))).toBe(FX.FAILURE)
    expect(await peer.status(FXP.STAT, string('many'))).toBe(FX.OK)
  })

  it('lists a folder of 100,000 entries, each once, in answers of bounded size', async () => {
    const folder = inside('large')
    fs.mkdirSync(folder)
    // ext4 takes 65,000 links to a file.
    const sources = ['source-0', 'source-1'].map(inside)
    for (const source of sources) fs.writeFileSync(source, '')
    for (let n = 0; n < 100_000; n++) fs.linkSync(sources[n % 2] ?? '', join(folder, `entry-${n}`))
    const { data: handle } = await peer.ask(FXP.OPENDIR, string('large'))
    const seen = new Set<string>()
    const before = memoryInUse()
    let most = 0
    for (let answers = 0; ; answers++) {
      const answer = await peer.ask(FXP.READDIR, handle)
      if (answer.type === FXP.STATUS) break
      expect(answer.data.length).toBeLessThan(256 * 1024)
      const reader = new Reader(answer.data)
      for (let count = reader.uint32(); count > 0; count--) {
        seen.add(reader.text())
        reader.string()
        for (const _ of [1, 2, 3, 4, 5, 6, 7, 8]) reader.uint32()
      }
      if (answers === 5 || answers === 300) most = Math.max(most, memoryInUse() - before)
    }
    expect(seen.size).toBe(100_002)
    // The names that this test has seen are most of it.
    expect(most).toBeLessThan(32 * MIB)
    fs.rmSync(folder, { recursive: true })
  })

  it('holds requests back while nobody takes the answers', async () => {
    fs.writeFileSync(inside('data'), Buffer.alloc(MIB))
    const handle = string(await peer.open('data', FXF.READ))
    served.stream.pause()
    const before = memoryInUse()
    let sent = 0
    // 64 MiB are asked for, in requests of 30 bytes.
    const answers = Array.from({ length: 256 }, () => {
      sent += 30
      return peer.ask(FXP.READ, handle, at(0), uint32(255 * 1024))
    })
    await untilSettled(() => process.memoryUsage().arrayBuffers)
    expect(memoryInUse() - before).toBeLessThan(2 * SFTP_PENDING_BYTES)
    served.stream.resume()
    for (const answer of await Promise.all(answers)) expect(answer.data.length).toBe(255 * 1024 + 4)
    expect(sent).toBe(256 * 30)
  })

  it('does not read on while the disk is behind with writes', async () => {
    const handle = string(await peer.open('written', FXF.WRITE | FXF.CREAT))
    const data = string(Buffer.alloc(255 * 1024, 1))
    const answers: Promise<number>[] = []
    for (let n = 0; n < 200; n++) answers.push(peer.status(FXP.WRITE, handle, at(n * 255 * 1024), data))
    expect(new Set(await Promise.all(answers))).toEqual(new Set([FX.OK]))
    expect(fs.statSync(inside('written')).size).toBe(200 * 255 * 1024)
    fs.rmSync(inside('written'))
  })

  it('answers a request that is cut short or unknown, and goes on', async () => {
    expect(await peer.status(FXP.STAT)).toBe(FX.BAD_MESSAGE)
    expect(await peer.status(FXP.STAT, uint32(100), Buffer.from('short'))).toBe(FX.BAD_MESSAGE)
    expect(await peer.status(FXP.READ, string('abcd'), uint32(1))).toBe(FX.BAD_MESSAGE)
    expect(await peer.status(FXP.WRITE)).toBe(FX.BAD_MESSAGE)
    expect(await peer.status(FXP.OPEN, string('x'))).toBe(FX.BAD_MESSAGE)
    expect(await peer.status(FXP.EXTENDED)).toBe(FX.BAD_MESSAGE)
    expect(await peer.status(FXP.STAT, string('a\0b'))).toBe(FX.BAD_MESSAGE)
    expect(await peer.status(99, string('x'))).toBe(FX.OP_UNSUPPORTED)
    expect(await peer.status(FXP.STATUS, uint32(0))).toBe(FX.OP_UNSUPPORTED)
    expect(await peer.status(FXP.STAT, string('.'))).toBe(FX.OK)
    expect(fs.existsSync(inside('x'))).toBe(false)
  })

  it.each([
    ['too long', Buffer.from([0, 4, 0, 1, 5]), 11],
    ['4 GiB long', Buffer.from([255, 255, 255, 255]), 11],
    ['empty', Buffer.from([0, 0, 0, 0]), 11],
    ['without an id', Buffer.from([0, 0, 0, 2, 5, 0]), 255],
  ])('ends at a packet that is %s, with everything closed', async (_how, bytes, exitCode) => {
    fs.writeFileSync(inside('open'), '')
    await peer.open('open', FXF.READ)
    expect(openedHere()).toHaveLength(1)
    peer.send(bytes)
    expect(await served.session.ended).toBe(exitCode)
    expect(openedHere()).toHaveLength(0)
  })

  it('answers what it was asked before the end of the input, and closes what is open', async () => {
    const handle = string(await peer.open('last', FXF.WRITE | FXF.CREAT))
    const answers = Array.from({ length: 100 }, (_, n) =>
      peer.status(FXP.WRITE, handle, at(n * 1000), string(Buffer.alloc(1000))),
    )
    peer.end()
    expect(new Set(await Promise.all(answers))).toEqual(new Set([FX.OK]))
    expect(await served.session.ended).toBe(0)
    expect(openedHere()).toHaveLength(0)
    expect(fs.statSync(inside('last')).size).toBe(100_000)
  })

  it('closes what is open when the client vanishes in the middle of it', async () => {
    const handle = string(await peer.open('gone', FXF.WRITE | FXF.CREAT))
    await peer.ask(FXP.OPENDIR, string('.'))
    for (let n = 0; n < 50; n++)
      peer.ask(FXP.WRITE, handle, at(n * 1000), string(Buffer.alloc(1000))).catch(() => undefined)
    await turnOfEventLoop()
    served.stream.destroy()
    await served.session.terminate()
    expect(openedHere()).toHaveLength(0)
  })

  it('takes requests that arrive byte by byte', async () => {
    const answer = once(served.stream, 'data')
    for (const byte of makePacket(FXP.STAT, uint32(7), string('.'))) {
      peer.send(Buffer.of(byte))
      await turnOfEventLoop()
    }
    const [data] = await answer
    expect(data.readUInt8(4)).toBe(FXP.ATTRS)
  })

  it('says which extensions it has, and its limits', async () => {
    const version = await peer.ask(FXP.INIT, uint32(3))
    expect(version.data.includes('posix-rename@openssh.com')).toBe(true)
    const { data } = await peer.askExtended('limits@openssh.com')
    const reader = new Reader(data)
    expect([1, 2, 3, 4].map(() => Number(reader.uint64()))).toEqual([
      262_144,
      261_120,
      261_120,
      SFTP_HANDLES_MAX,
    ])
    const statvfs = await peer.askExtended('statvfs@openssh.com', string('.'))
    expect(statvfs.data.length).toBe(11 * 8)
  })
})
