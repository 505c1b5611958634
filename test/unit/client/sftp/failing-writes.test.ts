import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SftpRequests } from '../../../../src/client/sftp/requests.js'
import { uploadFile } from '../../../../src/client/sftp/transfer.js'
import { SFTP_DATA_DEFAULT } from '../../../../src/core/limits.js'
import type { Channel } from '../../../../src/ssh/channel.js'
import {
  decodeAttributes,
  FX,
  FXP,
  makePacket,
  PacketSplitter,
  SFTP_VERSION,
} from '../../../../src/ssh/sftp-protocol.js'
import { string, uint32 } from '../../../../src/ssh/wire.js'
import { connectionPair } from '../../../helpers/connection-pair.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const PIECES = 8
const directory = temporaryDirectory()

/** A server whose disk is full for the writes at these offsets, and has room for those behind them. */
function serveFullDisk(channel: Channel, full: readonly bigint[], sizes: bigint[]): void {
  const splitter = new PacketSplitter(1024 * 1024)
  const answer = (type: number, ...parts: Buffer[]): void =>
    void channel.output.write(makePacket(type, ...parts))
  channel.onRequest = () => true
  channel.input.on('data', (chunk: Buffer) => {
    splitter.add(chunk)
    for (let packet = splitter.take(); packet !== undefined; packet = splitter.take()) {
      const type = packet.byte()
      const id = uint32(packet.uint32())
      const status = (code: number): void => answer(FXP.STATUS, id, uint32(code), string(''), string(''))
      if (type === FXP.INIT) answer(FXP.VERSION, uint32(SFTP_VERSION))
      else if (type === FXP.OPEN) answer(FXP.HANDLE, id, string('handle'))
      else if (type === FXP.LSTAT) status(FX.NO_SUCH_FILE)
      else {
        packet.string()
        if (type === FXP.FSETSTAT) sizes.push(decodeAttributes(packet).size ?? -1n)
        status(type === FXP.WRITE && full.includes(packet.uint64()) ? FX.FAILURE : FX.OK)
      }
    }
  })
}

it.each([
  ['of two', [2, 5]],
  ['at the very beginning', [0]],
])('an upload is cut off in front of the first write that failed: %s', async (_title, pieces) => {
  const pair = await connectionPair()
  const [channel, server] = await pair.open()
  const sizes: bigint[] = []
  const offsets = pieces.map((piece) => BigInt(piece * SFTP_DATA_DEFAULT))
  serveFullDisk(server, offsets, sizes)
  const source = join(directory(), 'source')
  writeFileSync(source, randomBytes(PIECES * SFTP_DATA_DEFAULT))
  const target = { path: Buffer.from('target'), lstat: () => Promise.resolve(undefined) }
  const requests = await SftpRequests.start(channel)
  await expect(uploadFile(requests, source, target, {})).rejects.toMatchObject({ status: FX.FAILURE })
  expect(sizes).toEqual([BigInt(Math.min(...pieces) * SFTP_DATA_DEFAULT)])
  rmSync(source)
  await pair.close()
})
