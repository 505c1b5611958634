import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { SFTP_DATA_MAX } from '../../src/core/limits.js'
import { FX, FXP, makePacket } from '../../src/ssh/sftp-protocol.js'
import { string, uint32, uint64 } from '../../src/ssh/wire.js'
import { FUZZ_SEED } from '../helpers/fuzz-seed.js'
import { servedSftp } from '../helpers/sftp-peer.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

/** No slash and no dot: what is asked for really happens, and is to happen in one folder alone. */
const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc
    .uint8Array({ maxLength })
    .map((array) => Buffer.from(array.map((byte) => (byte === 0x2f || byte === 0x2e ? 0x78 : byte))))

const handle = fc.oneof(
  fc.nat(6).map((id) => string(uint32(id))),
  bytes(6).map(string),
)
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'folder', 'folder/x', 'link', '', '.', 'missing/x').map((text) => string(text)),
  bytes(8).map(string),
)
const number = fc.oneof(fc.nat(64), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1)).map((value) => uint32(value))
// A write far out makes a sparse file, which costs nothing.
const offset = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => uint64(value))
const data = bytes(64).map(string)
const extension = fc
  .constantFrom(
    'statvfs@openssh.com',
    'fstatvfs@openssh.com',
    'fsync@openssh.com',
    'lsetstat@openssh.com',
    'limits@openssh.com',
    'expand-path@openssh.com',
    'home-directory',
    'users-groups-by-id@openssh.com',
    'none',
  )
  .map((text) => string(text))
const types = Object.values(FXP)

/** A request whose parts are of the right kinds more often than not, but need not be those of its type. */
const packet = fc
  .tuple(
    fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...types) }, fc.nat(255)),
    fc.nat(5),
    fc.array(fc.oneof(handle, name, number, offset, data, extension), { maxLength: 4 }),
  )
  .map(([type, id, parts]) => makePacket(type, uint32(id), ...parts))

/** A packet too short for an id. */
const stump = fc.nat(3).map((length) => makePacket(FXP.STAT, Buffer.alloc(length)))

/** What was opened in the folder, by this process. */
const openIn = (folder: string): string[] =>
  fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = fs.readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(folder) ? [path] : []
    } catch {
      return []
    }
  })

describe('SFTP, whatever the bytes', () => {
  const directory = temporaryDirectory()
  /** Empties a folder, whatever modes and names (bytes, no text) the requests gave: only root reads one of mode 0. */
  const empty = (folder: Buffer): void => {
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
  const prepare = (): void => {
    empty(Buffer.from(directory()))
    fs.writeFileSync(join(directory(), 'a'), 'content')
    fs.mkdirSync(join(directory(), 'folder'))
    fs.symlinkSync('a', join(directory(), 'link'))
  }
  afterEach(() => empty(Buffer.from(directory())))

  it('answers every request, or ends, and leaves nothing open', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { minLength: 1, maxLength: 30 }), async (packets) => {
        prepare()
        const served = await servedSftp(directory())
        expect(await served.peer.status(FXP.OPEN, string('a'), uint32(3), uint32(0))).toBe(FX.OK)
        for (const bytes of packets) served.peer.send(bytes)
        // Behind all of that: an answer, with an id that none of them had.
        expect(
          await served.peer.status(FXP.READ, string(uint32(0xffff_ffff)), uint64(0), uint32(SFTP_DATA_MAX)),
        ).toBe(FX.FAILURE)
        await served.close()
        expect(openIn(directory())).toEqual([])
      }),
      { numRuns: 400, seed: FUZZ_SEED },
    )
  })

  it('survives bytes that are no packets', async () => {
    const ends = new Set<number>()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(bytes(300), stump, packet), { minLength: 1, maxLength: 8 }),
        async (pieces) => {
          prepare()
          const served = await servedSftp(directory())
          for (const piece of pieces) served.peer.send(piece)
          served.peer.end()
          served.stream.resume()
          ends.add(await served.session.ended)
          await served.close()
          expect(openIn(directory())).toEqual([])
        },
      ),
      { numRuns: 600, seed: FUZZ_SEED },
    )
    expect([...ends].sort()).toEqual([0, 11, 255])
  })
})
