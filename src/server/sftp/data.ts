import { SFTP_DATA_MAX } from '../../core/limits.js'
import type { FileCalls } from '../../job/file-calls.js'
import { FX, FXP } from '../../ssh/sftp-protocol.js'
import type { Reader } from '../../ssh/wire.js'
import { statusAnswer } from './answers.js'
import { fileOf, fileOffset, type SftpContext } from './context.js'
import { status } from './failure.js'
import type { OpenFile } from './handles.js'

/** Of a DATA packet, in front of the bytes: its length, type, id, and their length. */
const DATA_HEADER = 13

/** READ or WRITE: the requests that may be in work side by side. */
export type DataRequest =
  | { kind: 'read'; handle: Buffer; offset: bigint; length: number }
  | { kind: 'write'; handle: Buffer; offset: bigint; data: Buffer }

export function decodeData(kind: DataRequest['kind'], data: Reader): DataRequest {
  const handle = data.string()
  const offset = data.uint64()
  if (kind === 'write') return { kind, handle, offset, data: data.string() }
  return { kind, handle, offset, length: Math.min(data.uint32(), SFTP_DATA_MAX) }
}

/** Performs it; resolves with the answer. */
export async function moveData(context: SftpContext, id: number, request: DataRequest): Promise<Buffer> {
  const file = fileOf(context, request.handle)
  const offset = fileOffset(request.offset)
  if (request.kind === 'read') return readData(context.calls, id, file, { offset, length: request.length })
  await writeData(context.calls, file, offset, request.data)
  return statusAnswer(id, status(FX.OK))
}

async function readData(
  calls: FileCalls,
  id: number,
  file: OpenFile,
  { offset, length }: { offset: number; length: number },
): Promise<Buffer> {
  const packet = Buffer.allocUnsafe(DATA_HEADER + length)
  const { bytesRead } = await calls.read(file, packet, DATA_HEADER, length, offset)
  if (bytesRead === 0 && length > 0) return statusAnswer(id, status(FX.EOF))
  packet.writeUInt32BE(DATA_HEADER - 4 + bytesRead)
  packet[4] = FXP.DATA
  packet.writeUInt32BE(id, 5)
  packet.writeUInt32BE(bytesRead, 9)
  return packet.subarray(0, DATA_HEADER + bytesRead)
}

/** Writes all of it. */
export async function writeData(
  calls: FileCalls,
  file: OpenFile,
  offset: number,
  data: Buffer,
): Promise<void> {
  for (let done = 0; done < data.length; ) {
    // Without a position it is write(2), which is what can append to a FIFO or a terminal.
    const position = file.append ? null : offset + done
    done += (await calls.write(file, data, done, position)).bytesWritten
  }
}
