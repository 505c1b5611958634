import { Readable, Writable } from 'node:stream'
import { asError, SshjobError } from '../../core/errors.js'
import { READ_FILE_LIMIT } from '../../core/limits.js'
import { orAbort } from '../../core/or-abort.js'
import type { Channel } from '../../ssh/channel.js'
import { isOwnEnd } from '../../ssh/connection.js'
import { type Attributes, encodeAttributes, FX, FXF, FXP } from '../../ssh/sftp-protocol.js'
import { type Reader, string } from '../../ssh/wire.js'
import { decodeStats, timesOf } from './attributes.js'
import { onLocal } from './local-failure.js'
import { RemoteFile, thenClose } from './remote-file.js'
import { brokenProtocol, SftpRequests, StatusError } from './requests.js'
import { downloadFile, uploadFile } from './transfer.js'
import type { FileEntry, FileOptions, FileStats, RemoteFiles, RemotePath } from './types.js'

const bytesOf = (path: RemotePath): Buffer => (typeof path === 'string' ? Buffer.from(path) : path)

/** The job's files, over a channel that is opened when it is first needed. */
export function remoteFiles(openChannel: () => Promise<Channel>): RemoteFiles {
  let current: Promise<SftpRequests> | undefined
  function connect(): Promise<SftpRequests> {
    if (current !== undefined) return current
    const forget = (): void => {
      current = undefined
    }
    current = openChannel().then((channel) => {
      void channel.closed.then(forget) // the next call opens another
      return SftpRequests.start(channel)
    })
    current.catch(forget)
    return current
  }

  const use: Use = async (path, options, act, undo) => {
    try {
      const work = connect().then((requests) => act(requests, bytesOf(path)))
      return await orAbort(work, options?.signal, undo)
    } catch (error) {
      throw describeFailure(error, path)
    }
  }

  const simple = (type: number, path: RemotePath, options?: FileOptions, ...more: Buffer[]): Promise<void> =>
    use(path, options, async (requests, name) => {
      await requests.ask(type, string(name), ...more)
    })
  const named = (type: number, path: RemotePath, options?: FileOptions): Promise<Buffer> =>
    use(path, options, async (requests, name) => {
      const { data } = await requests.ask(type, string(name))
      data.uint32()
      return Buffer.from(data.string())
    })
  const statOf = (type: number, path: RemotePath, options?: FileOptions): Promise<FileStats> =>
    use(path, options, async (requests, name) => decodeStats((await requests.ask(type, string(name))).data))

  const files: RemoteFiles = {
    readFile: (path, { signal, limit = READ_FILE_LIMIT } = {}) =>
      use(path, { ...(signal && { signal }) }, async (requests, name) => {
        const file = await RemoteFile.open(requests, name, FXF.READ)
        try {
          const chunks: Buffer[] = []
          let length = 0
          for await (const chunk of file.read(0, Number.POSITIVE_INFINITY, (await file.stat()).size)) {
            if (signal?.aborted) break
            chunks.push(chunk)
            length += chunk.length
            if (length > limit) {
              const message = `${path} is larger than ${limit} bytes; read it as a stream.`
              throw new SshjobError('output-limit', message)
            }
          }
          return Buffer.concat(chunks)
        } finally {
          await discard(file)
        }
      }),
    writeFile: (path, data, options) =>
      use(path, options, async (requests, name) => {
        const flags = FXF.WRITE | FXF.CREAT | FXF.TRUNC
        const file = await RemoteFile.open(requests, name, flags, modeOf(options))
        await thenClose(file, async () => {
          await file.write(Buffer.from(data), 0, () => undefined)
          await file.flush()
        })
      }),
    readdir: (path, options) => use(path, options, readFolder),
    stat: (path, options) => statOf(FXP.STAT, path, options),
    lstat: (path, options) => statOf(FXP.LSTAT, path, options),
    mkdir: (path, options) => simple(FXP.MKDIR, path, options, encodeAttributes(modeOf(options))),
    rmdir: (path, options) => simple(FXP.RMDIR, path, options),
    remove: (path, options) => simple(FXP.REMOVE, path, options),
    rename: (from, to, options) =>
      use(from, options, async (requests, name) => {
        const extension = 'posix-rename@openssh.com'
        const paths = [string(name), string(bytesOf(to))]
        if (requests.has(extension)) await requests.ask(FXP.EXTENDED, string(extension), ...paths)
        else await requests.ask(FXP.RENAME, ...paths)
      }),
    readlink: (path, options) => named(FXP.READLINK, path, options),
    realpath: (path, options) => named(FXP.REALPATH, path, options),
    symlink: (target, path, options) =>
      use(path, options, async (requests, name) => {
        await requests.ask(FXP.SYMLINK, string(bytesOf(target)), string(name))
      }),
    setAttributes: (path, { mode, accessed, modified }, options) =>
      use(path, options, async (requests, name) => {
        const attributes: Attributes = mode === undefined ? {} : { mode }
        if (accessed !== undefined || modified !== undefined) {
          const now = decodeStats((await requests.ask(FXP.STAT, string(name))).data)
          attributes.times = timesOf({
            accessed: accessed ?? now.accessed,
            modified: modified ?? now.modified,
          })
        }
        await requests.ask(FXP.SETSTAT, string(name), encodeAttributes(attributes))
      }),
    createReadStream: (path, options = {}) => readStream(path, options, use),
    createWriteStream: (path, options = {}) => writeStream(path, options, use),
    upload: (local, remote, options = {}) =>
      use(remote, options, (requests, path) =>
        onLocal(local, () =>
          uploadFile(requests, local, { path, lstat: () => lstatIfThere(requests, path) }, options),
        ),
      ),
    download: (remote, local, options = {}) =>
      use(remote, options, (requests, path) =>
        onLocal(local, () => downloadFile(requests, path, local, options)),
      ),
  }
  return files
}

/** Runs an operation on a path; what it fails with names the path. What it gives after an abort goes to `undo`. */
type Use = <T>(
  path: RemotePath,
  options: FileOptions | undefined,
  act: (requests: SftpRequests, path: Buffer) => Promise<T>,
  undo?: (late: T) => void,
) => Promise<T>

/** Closes a file of which nobody wants any more: what could go wrong here has no meaning for what was read. */
async function discard(file: RemoteFile): Promise<void> {
  await file.close().catch(() => undefined)
}

function readStream(
  path: RemotePath,
  { signal, start = 0, end = Number.POSITIVE_INFINITY }: FileOptions & { start?: number; end?: number },
  use: Use,
): Readable {
  const options = signal && { signal }
  async function* read(): AsyncGenerator<Buffer, void> {
    const open = (requests: SftpRequests, name: Buffer) => RemoteFile.open(requests, name, FXF.READ)
    const file = await use(path, options, open, discard)
    try {
      yield* file.read(start, end, (await file.stat()).size)
    } finally {
      await discard(file)
    }
  }
  const pieces = read()
  const stream = new Readable({
    ...options,
    read() {
      pieces.next().then(
        ({ done, value }) => stream.push(done ? null : value),
        (error: unknown) => stream.destroy(isOwnEnd(error) ? undefined : describeFailure(error, path)),
      )
    },
    destroy(error, done) {
      void pieces.return()
      done(error)
    },
  })
  return stream
}

function writeStream(
  path: RemotePath,
  options: FileOptions & { mode?: number; start?: number },
  use: Use,
): Writable {
  let file: RemoteFile | undefined
  let at = options.start ?? 0
  const settle = (work: Promise<void>, done: (error?: Error | null) => void): void => {
    work.then(
      () => done(),
      (error: unknown) => {
        if (!isOwnEnd(error)) return done(describeFailure(error, path))
        // Not before it is destroyed: what follows would be taken for a success.
        stream.destroy()
        done()
      },
    )
  }
  const stream = new Writable({
    ...(options.signal && { signal: options.signal }),
    construct(done) {
      const flags = FXF.WRITE | FXF.CREAT | (options.start === undefined ? FXF.TRUNC : 0)
      const open = (requests: SftpRequests, name: Buffer) =>
        RemoteFile.open(requests, name, flags, modeOf(options))
      const opened = use(path, options, open, discard).then((made) => {
        file = made
      })
      settle(opened, done)
    },
    write(chunk: Buffer, _encoding, done) {
      const offset = at
      at += chunk.length
      settle(file?.write(chunk, offset, () => undefined) ?? Promise.resolve(), done)
    },
    final: (done) => settle(file?.flush() ?? Promise.resolve(), done),
    destroy: (error, done) => {
      const closed = file?.close() ?? Promise.resolve()
      closed.then(
        () => done(error),
        (failure: unknown) => done(error ?? (isOwnEnd(failure) ? null : describeFailure(failure, path))),
      )
    },
  })
  return stream
}

const modeOf = (options: { mode?: number } | undefined): Attributes =>
  options?.mode === undefined ? {} : { mode: options.mode }

async function lstatIfThere(requests: SftpRequests, path: Buffer): Promise<FileStats | undefined> {
  try {
    return decodeStats((await requests.ask(FXP.LSTAT, string(path))).data)
  } catch (error) {
    if (error instanceof StatusError && error.status === FX.NO_SUCH_FILE) return undefined
    throw error
  }
}

async function readFolder(requests: SftpRequests, path: Buffer): Promise<FileEntry[]> {
  const handle = string((await requests.ask(FXP.OPENDIR, string(path))).data.string())
  const entries: FileEntry[] = []
  try {
    for (;;) readEntries((await requests.ask(FXP.READDIR, handle)).data, entries)
  } catch (error) {
    if (!(error instanceof StatusError && error.status === FX.EOF)) throw error
  } finally {
    await requests.ask(FXP.CLOSE, handle)
  }
  return entries
}

function readEntries(data: Reader, entries: FileEntry[]): void {
  for (let count = data.uint32(); count > 0; count--) {
    const nameBytes = Buffer.from(data.string())
    data.string()
    const stats = decodeStats(data)
    const name = nameBytes.toString()
    if (name === '.' || name === '..') continue
    // A server that names what is elsewhere would have a recursive copy write there.
    if (nameBytes.includes('/') || nameBytes.length === 0) {
      throw new SshjobError('protocol-error', 'The server lists a name that no file can have.')
    }
    entries.push({ name, nameBytes, ...stats })
  }
}

function describeFailure(error: unknown, path: RemotePath): Error {
  // What the Reader says of an answer that ends too early.
  if (error instanceof RangeError) return brokenProtocol(error)
  if (!(error instanceof StatusError)) return asError(error)
  const said = error.message === '' ? 'the job refuses it' : error.message
  const code =
    error.status === FX.NO_SUCH_FILE
      ? 'no-such-file'
      : error.status === FX.PERMISSION_DENIED
        ? 'permission-denied'
        : 'file-failed'
  return new SshjobError(code, `${path} in the job: ${said}.`, { cause: error })
}
