import { constants } from 'node:fs'
import { abortError, SshjobError, systemCode } from '../../core/errors.js'
import { SFTP_WINDOW_BYTES } from '../../core/limits.js'
import { FXF } from '../../ssh/sftp-protocol.js'
import { localTimes, modeOfCopy, timesOf } from './attributes.js'
import { LocalFile } from './local-file.js'
import { RemoteFile, thenClose } from './remote-file.js'
import type { SftpRequests } from './requests.js'
import type { FileStats, LocalPath, TransferOptions } from './types.js'

/** Read from a local file at a time. */
const STEP_BYTES = 1024 * 1024
/**
 * The end of what is there is compared with the original before a transfer goes on behind it. As much as was in flight:
 * a server that was killed may have done the last writes and not those before them.
 */
const COMPARED_BYTES = SFTP_WINDOW_BYTES

/** What a transfer has to know of the other end's names. */
export interface RemoteTarget {
  path: Buffer
  /** Of a link itself; undefined where there is nothing. */
  lstat(): Promise<FileStats | undefined>
}

export async function uploadFile(
  requests: SftpRequests,
  local: LocalPath,
  target: RemoteTarget,
  options: TransferOptions,
): Promise<void> {
  const source = await openLocal(local, constants.O_RDONLY | constants.O_NONBLOCK)
  await thenClose(source, async () => {
    const stats = await source.stat()
    if (!stats.isFile()) throw new SshjobError('file-failed', `${local} is not a file.`)
    await refuseLink(target, options)
    const mode = modeOfCopy(stats.mode, options.preserve)
    const flags = FXF.WRITE | FXF.CREAT | (options.resume ? FXF.READ : FXF.TRUNC)
    const file = await RemoteFile.open(requests, target.path, flags, { mode })
    await thenClose(file, async () => {
      await sendRest(source, file, stats.size, options).catch(async (error: unknown) => {
        // Where that fails too, the first failure is the one that counts; a later resume looks for itself.
        await file.cutOff().catch(() => undefined)
        throw error
      })
      if (options.preserve) await file.setAttributes({ mode, times: timesOf(localTimes(stats)) })
    })
  })
}

async function sendRest(
  source: LocalFile,
  file: RemoteFile,
  total: number,
  options: TransferOptions,
): Promise<void> {
  const start = options.resume
    ? await startOfRest((await file.stat()).size, total, { local: source, remote: file })
    : 0
  let done = start
  const report = (bytes: number): void => {
    done += bytes
    if (!options.signal?.aborted) options.onProgress?.({ done, total })
  }
  report(0)
  for (let at = start; ; ) {
    if (options.signal?.aborted) throw abortError(options.signal)
    const data = await source.read(Buffer.allocUnsafe(STEP_BYTES), at)
    if (data.length === 0) break
    await file.write(data, at, report)
    at += data.length
  }
  await file.flush()
}

export async function downloadFile(
  requests: SftpRequests,
  path: Buffer,
  local: LocalPath,
  options: TransferOptions,
): Promise<void> {
  const file = await RemoteFile.open(requests, path, FXF.READ)
  await thenClose(file, async () => {
    const stats = await file.stat()
    const flags =
      constants.O_CREAT |
      (options.resume ? constants.O_RDWR : constants.O_WRONLY) |
      (options.followLinks ? 0 : constants.O_NOFOLLOW)
    const mode = modeOfCopy(stats.mode, options.preserve)
    const target = await openLocal(local, flags, mode)
    await thenClose(target, async () => {
      await receiveRest(file, target, stats.size, options)
      if (!options.preserve) return
      await target.chmod(mode)
      await target.utimes(stats.accessed, stats.modified)
    })
  })
}

async function receiveRest(
  file: RemoteFile,
  target: LocalFile,
  size: number,
  options: TransferOptions,
): Promise<void> {
  const there = await target.stat()
  const start = options.resume ? await startOfRest(there.size, size, { local: target, remote: file }) : 0
  if (!options.resume && there.isFile()) await target.truncate(0)
  let done = start
  options.onProgress?.({ done, total: size })
  for await (const data of file.read(start, Number.POSITIVE_INFINITY, size)) {
    if (options.signal?.aborted) throw abortError(options.signal)
    // A FIFO or a device takes what comes.
    await target.write(data, there.isFile() ? done : null)
    done += data.length
    options.onProgress?.({ done, total: Math.max(done, size) })
  }
}

/** Where a broken transfer goes on: at the end of what is there, if that is the beginning of the original. */
async function startOfRest(
  there: number,
  size: number,
  { local, remote }: { local: LocalFile; remote: RemoteFile },
): Promise<number> {
  const from = Math.max(0, there - COMPARED_BYTES)
  const mine = await local.read(Buffer.alloc(there - from), from)
  const theirs: Buffer[] = []
  for await (const data of remote.read(from, there, there)) theirs.push(data)
  if (there <= size && Buffer.concat(theirs).equals(mine)) return there
  throw new SshjobError(
    'file-failed',
    'What is there is not the beginning of this file, so the transfer can not be resumed: copy it anew.',
  )
}

/** SFTP has no O_NOFOLLOW. Someone in the job who is quicker than this has the job's rights anyway. */
async function refuseLink(target: RemoteTarget, options: TransferOptions): Promise<void> {
  if (options.followLinks || (await target.lstat())?.type !== 'link') return
  throw linkError(target.path.toString())
}

function linkError(path: string): SshjobError {
  return new SshjobError(
    'file-failed',
    `${path} is a link, and is not written through: name what it leads to, or remove it.`,
  )
}

async function openLocal(path: LocalPath, flags: number, mode?: number): Promise<LocalFile> {
  try {
    return await LocalFile.open(path, flags, mode)
  } catch (error) {
    throw systemCode(error) === 'ELOOP' ? linkError(path.toString()) : error
  }
}
