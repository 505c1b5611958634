import type { FileCalls } from '../../job/file-calls.js'
import type { JobFiles } from '../../job/inside.js'
import { FX } from '../../ssh/sftp-protocol.js'
import type { Reader } from '../../ssh/wire.js'
import type { Accounts } from './accounts.js'
import { SftpFailure } from './failure.js'
import type { Handles, OpenFile } from './handles.js'

/** What the operations of one channel share. */
export interface SftpContext {
  readonly files: JobFiles
  readonly calls: FileCalls
  readonly handles: Handles
  accounts(): Promise<Accounts>
  /** True once nobody waits for answers: long work may stop. */
  isOver(): boolean
}

/** One request, after its id; resolves with the packet that answers it. */
export type Operation = (context: SftpContext, id: number, data: Reader) => Promise<Buffer>

/** A path of the client as an absolute one. The empty one stays empty, and is no file's: ENOENT, path_resolution(7). */
export function resolvePath({ files }: SftpContext, path: Buffer): Buffer {
  if (path.includes(0)) throw new SftpFailure(FX.BAD_MESSAGE, 'A path holds a zero byte')
  if (path.length === 0 || path[0] === SLASH) return path
  return Buffer.concat([Buffer.from(files.directory), SEPARATOR, path])
}

/** @throws SftpFailure where this handle is not an open file */
export function fileOf({ handles }: SftpContext, handle: Buffer): OpenFile {
  const file = handles.file(handle)
  if (file === undefined) throw new SftpFailure(FX.FAILURE, 'This handle is not an open file')
  return file
}

/** An offset or size for Node.js, which takes up to 2^53: more is beyond what any file can have. */
export function fileOffset(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new SftpFailure(FX.BAD_MESSAGE, 'Beyond the end of any file')
  return Number(value)
}

const SLASH = 0x2f
const SEPARATOR = Buffer.from('/')
